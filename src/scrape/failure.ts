/** What went wrong with an exchange; the reason labels the counter. */
export type ScrapeFailureReason = 'connect' | 'timeout' | 'status' | 'body_size' | 'encoding' | 'stopped';

export class ScrapeFailure extends Error {
  readonly reason: ScrapeFailureReason;

  constructor(reason: ScrapeFailureReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

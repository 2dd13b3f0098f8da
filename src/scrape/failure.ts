import type { FailureCause } from '../doctor/failure-cause.js';

/** What went wrong with an exchange; the reason labels the counter. */
export type ScrapeFailureReason = 'connect' | 'timeout' | 'status' | 'body_size' | 'encoding' | 'stopped';

export class ScrapeFailure extends Error {
  readonly reason: ScrapeFailureReason;
  /** For the doctor to explain. */
  readonly details: FailureCause | undefined;

  constructor(reason: ScrapeFailureReason, message: string, details?: FailureCause) {
    super(message);
    this.reason = reason;
    this.details = details;
  }
}

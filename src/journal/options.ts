/** Keys of `journal`. */
export interface JournalOptions {
  /** What was accepted within so long before a power failure may be lost; a killed process loses nothing. */
  readonly fsyncIntervalMs: number;
  /** Of all segments together. The oldest go first, wanted or not. */
  readonly maxBytes: number;
}

export const DEFAULT_JOURNAL: JournalOptions = {
  fsyncIntervalMs: 1_000,
  // At 1,000 exemplars a second of about 130 bytes: more than four hours for a receiver to come back.
  maxBytes: 2 * 1024 * 1024 * 1024,
};

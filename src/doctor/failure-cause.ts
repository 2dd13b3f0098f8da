/** What went wrong, as whoever asked met it. */
export type FailureCause =
  | { readonly kind: 'status'; readonly status: number; readonly location: string | undefined; readonly followsRedirects: boolean }
  | { readonly kind: 'encoding'; readonly encoding: string }
  /** The answer says gzip, and cannot be inflated. */
  | { readonly kind: 'gzip'; readonly error: Error }
  | { readonly kind: 'size'; readonly maxBytes: number }
  | { readonly kind: 'timeout'; readonly timeoutMs: number }
  /** The connection ended in the body. */
  | { readonly kind: 'cut'; readonly receivedBytes: number; readonly announcedBytes: number }
  | { readonly kind: 'connection'; readonly error: Error; readonly isTls: boolean }; // biome-ignore format: a table

/** Who asked, and so can do what about it: `check metrics` by its flags, a job by its configuration. */
export type Asker = 'command' | 'job';

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly next: string;
  /** Asking for another format may end in another way. */
  readonly dependsOnFormat?: boolean;
}

import type { ComponentChildren } from 'preact';
import type { ApiError } from '../api/client.js';

/** Nothing is here: why, and what to do. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="state">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <div class="state" role="status">
      <span class="spinner" aria-hidden="true" />
      Loading {what} …
    </div>
  );
}

/** The server said no, or nothing. */
export function Failure({ error, onRetry }: { error: ApiError; onRetry?: () => void }) {
  return (
    <div class="state failure" role="alert">
      <h2>{error.isUnreachable ? 'The server does not answer' : 'The server could not answer'}</h2>
      <p>
        {error.isUnreachable
          ? 'Check that exemplard is running and that this page can reach it.'
          : error.message}
      </p>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

export type NoticeKind = 'info' | 'warning';

/** One line above what it is about. */
export function Notice({ kind = 'info', children }: { kind?: NoticeKind; children: ComponentChildren }) {
  return (
    <p class={`notice ${kind}`} role="status">
      {children}
    </p>
  );
}

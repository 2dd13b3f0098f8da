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
      <h2>{titleOf(error)}</h2>
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

function titleOf(error: ApiError): string {
  if (error.isUnreachable) return 'The server does not answer';
  return error.isOfQuestion ? 'This cannot be answered' : 'The server could not answer';
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

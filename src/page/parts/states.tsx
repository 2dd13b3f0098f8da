import type { ComponentChildren } from 'preact';
import type { ApiError, Fault } from '../api/client.js';

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

const TITLES: Readonly<Record<Fault, string>> = {
  connection: 'The server does not answer',
  stranger: 'Something else answers',
  question: 'This cannot be answered',
  server: 'The server could not answer',
};

/** What to do, where the server does not say it. */
const NEXT: Readonly<Partial<Record<Fault, string>>> = {
  connection: 'Check that exemplard is running and that this page can reach it.',
  stranger:
    'Check the address of this page, and what is between: a proxy, or its login page. After an update of exemplard, load the page again.',
};

/** The server said no, or nothing; or it was another. */
export function Failure({ error, onRetry }: { error: ApiError; onRetry?: () => void }) {
  const { fault, message } = error;
  return (
    <div class="state failure" role="alert">
      <h2>{TITLES[fault]}</h2>
      {fault !== 'connection' && <p>{message}</p>}
      {NEXT[fault] !== undefined && <p>{NEXT[fault]}</p>}
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

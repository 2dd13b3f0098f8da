import { useEffect, useState } from 'preact/hooks';
import { type Answer, ApiError, type ApiParameters, ask } from './client.js';

export type Asked<T> =
  | { readonly state: 'loading' }
  | ({ readonly state: 'ready' } & Answer<T>)
  | { readonly state: 'failed'; readonly error: ApiError };

/**
 * Asks once, and again whenever what is asked or `again` changes; a question that is outdated is cancelled. While
 * a new answer is on its way, the old one of the same path stays.
 * @param path undefined: nothing is asked
 */
export function useAnswer<T>(
  path: string | undefined,
  parameters: ApiParameters = {},
  again: unknown = undefined,
): Asked<T> {
  const [asked, setAsked] = useState<Asked<T>>({ state: 'loading' });
  const question = JSON.stringify([path, parameters]);
  // The question says path and parameters as one text; `again` is the caller's.
  useEffect(() => {
    if (path === undefined) return undefined;
    const abort = new AbortController();
    setAsked((before) => (before.state === 'failed' ? { state: 'loading' } : before));
    ask<T>(path, parameters, abort.signal).then(
      (answer) => setAsked({ state: 'ready', ...answer }),
      (error: unknown) => {
        if (!abort.signal.aborted) setAsked({ state: 'failed', error: apiErrorOf(error) });
      },
    );
    return () => abort.abort();
  }, [question, again]);
  return asked;
}

export function apiErrorOf(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(String(error), undefined);
}

import { useEffect, useState } from 'preact/hooks';
import { type Answer, ApiError, type ApiParameters, ask } from './client.js';

export type Asked<T> =
  | { readonly state: 'loading' }
  | (Answer<T> & {
      readonly state: 'ready';
      /** What this is the answer to; something else may have been asked since. */
      readonly asked: ApiParameters;
      readonly isStale: boolean;
    })
  | { readonly state: 'failed'; readonly error: ApiError };

type Answered<T> =
  | Exclude<Asked<T>, { readonly state: 'ready' }>
  | (Answer<T> & { readonly state: 'ready'; readonly asked: ApiParameters; readonly question: string });

/**
 * Asks once, and again whenever what is asked or `again` changes; a question that is outdated is cancelled. While
 * a new answer is on its way, the old one, or what went wrong, stays.
 * @param path undefined: nothing is asked
 */
export function useAnswer<T>(
  path: string | undefined,
  parameters: ApiParameters = {},
  again: unknown = undefined,
): Asked<T> {
  const [answered, setAnswered] = useState<Answered<T>>({ state: 'loading' });
  const question = JSON.stringify([path, parameters]);
  // The question says path and parameters as one text; `again` is the caller's.
  useEffect(() => {
    if (path === undefined) return undefined;
    const abort = new AbortController();
    ask<T>(path, parameters, abort.signal).then(
      (answer) => setAnswered({ state: 'ready', ...answer, asked: parameters, question }),
      (error: unknown) => {
        if (!abort.signal.aborted) setAnswered({ state: 'failed', error: apiErrorOf(error) });
      },
    );
    return () => abort.abort();
  }, [question, again]);
  return answered.state === 'ready' ? { ...answered, isStale: answered.question !== question } : answered;
}

export function apiErrorOf(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(String(error), undefined);
}

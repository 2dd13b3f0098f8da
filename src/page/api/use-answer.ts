import { useEffect, useState } from 'preact/hooks';
import { type Answer, type ApiError, type ApiParameters, apiErrorOf, ask } from './client.js';
import type { ApiPath } from './shapes.js';

export type Asked<T> =
  | { readonly state: 'loading' }
  | (Answer<T> & {
      readonly state: 'ready';
      /** What this is the answer to; something else may have been asked since. */
      readonly asked: ApiParameters;
      readonly isStale: boolean;
    })
  | { readonly state: 'failed'; readonly error: ApiError };

type Answered<T> = { readonly question: string } & (
  | Exclude<Asked<T>, { readonly state: 'ready' }>
  | (Answer<T> & { readonly state: 'ready'; readonly asked: ApiParameters })
);

/**
 * Asks once, and again whenever what is asked or `again` changes; a question that is outdated is cancelled. While
 * a new answer is on its way, the old one stays; what went wrong stays until the same question is answered.
 * @param path undefined: nothing is asked
 */
export function useAnswer<T>(
  path: ApiPath | undefined,
  parameters: ApiParameters = {},
  again: unknown = undefined,
): Asked<T> {
  const [answered, setAnswered] = useState<Answered<T>>({ state: 'loading', question: '' });
  const question = JSON.stringify([path, parameters]);
  // The question says path and parameters as one text; `again` is the caller's.
  useEffect(() => {
    if (path === undefined) return undefined;
    const abort = new AbortController();
    ask<T>(path, parameters, abort.signal).then(
      (answer) => setAnswered({ state: 'ready', ...answer, asked: parameters, question }),
      (error: unknown) => {
        if (!abort.signal.aborted) setAnswered({ state: 'failed', error: apiErrorOf(error), question });
      },
    );
    return () => abort.abort();
  }, [question, again]);
  const isStale = answered.question !== question;
  if (answered.state === 'ready') return { ...answered, isStale };
  return isStale ? { state: 'loading' } : answered;
}

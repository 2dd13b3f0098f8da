import { useEffect, useRef, useState } from 'preact/hooks';
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

/** An answer that takes longer than this to come is not waited for, when it is asked again. */
const PATIENCE_MS = 60_000;

/**
 * Asks once, and again whenever what is asked or `again` changes; a question that is outdated is cancelled, one that is
 * on its way is not asked twice: a server that takes longer than the time between would never be heard. While a new
 * answer is on its way, the old one stays; what went wrong stays until the same question is answered.
 * @param path undefined: nothing is asked
 */
export function useAnswer<T>(
  path: ApiPath | undefined,
  parameters: ApiParameters = {},
  again: unknown = undefined,
): Asked<T> {
  const [answered, setAnswered] = useState<Answered<T>>({ state: 'loading', question: '' });
  const question = JSON.stringify([path, parameters]);
  const asking = useRef<{ readonly abort: AbortController; readonly sinceMs: number } | undefined>(undefined);
  const stopAsking = () => {
    asking.current?.abort.abort();
    asking.current = undefined;
  };
  // The question says path and parameters as one text; `again` is the caller's.
  useEffect(() => stopAsking, [question]);
  useEffect(() => {
    if (path === undefined || Date.now() - (asking.current?.sinceMs ?? 0) < PATIENCE_MS) return;
    stopAsking();
    const abort = new AbortController();
    asking.current = { abort, sinceMs: Date.now() };
    const settle = (answer: Answered<T>) => {
      if (abort.signal.aborted) return;
      asking.current = undefined;
      setAnswered(answer);
    };
    ask<T>(path, parameters, abort.signal).then(
      (answer) => settle({ state: 'ready', ...answer, asked: parameters, question }),
      (error: unknown) => settle({ state: 'failed', error: apiErrorOf(error), question }),
    );
  }, [question, again]);
  const isStale = answered.question !== question;
  if (answered.state === 'ready') return { ...answered, isStale };
  return isStale ? { state: 'loading' } : answered;
}

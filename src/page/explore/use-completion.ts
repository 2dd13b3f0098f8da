import { useEffect, useMemo, useState } from 'preact/hooks';
import { apiErrorOf } from '../api/client.js';
import { type CompletionContext, completionAt } from './completion.js';
import { type Suggestion, suggest } from './suggest.js';

export interface Completion {
  readonly context: CompletionContext;
  readonly suggestions: readonly Suggestion[];
  /** Why there are none, where the server said no. */
  readonly problem: string | undefined;
}

/** Fast typists ask once, at the end. */
const PAUSE_MS = 120;

/** What could stand at the cursor, after a pause in typing; undefined while it is not known. */
export function useCompletion(text: string, cursor: number, isWanted: boolean): Completion | undefined {
  const [completion, setCompletion] = useState<Completion | undefined>();
  const context = useMemo(
    () => (isWanted ? completionAt(text, cursor) : undefined),
    [text, cursor, isWanted],
  );
  useEffect(() => {
    if (context === undefined) return undefined;
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const suggestions = await suggest(context, abort.signal);
        setCompletion({ context, suggestions, problem: undefined });
      } catch (error) {
        if (!abort.signal.aborted) {
          setCompletion({ context, suggestions: [], problem: apiErrorOf(error).message });
        }
      }
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [context]);
  // Typing on in a word, its first letters' suggestions stay until there are better ones, but take the place of all of it.
  if (context === undefined || completion === undefined || !isSamePlace(completion.context, context))
    return undefined;
  return { ...completion, context };
}

function isSamePlace(a: CompletionContext, b: CompletionContext): boolean {
  return a.kind === b.kind && a.from === b.from && a.label === b.label && a.selector === b.selector;
}

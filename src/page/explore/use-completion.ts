import { useEffect, useState } from 'preact/hooks';
import { apiErrorOf } from '../api/use-answer.js';
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
  useEffect(() => {
    const context = isWanted ? completionAt(text, cursor) : undefined;
    if (context === undefined) {
      setCompletion(undefined);
      return undefined;
    }
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
  }, [text, cursor, isWanted]);
  return isWanted ? completion : undefined;
}

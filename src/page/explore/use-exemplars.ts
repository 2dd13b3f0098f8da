import { useEffect, useState } from 'preact/hooks';
import type { SeriesExemplars } from '../api/answers.js';
import { ask } from '../api/client.js';
import { openLive } from '../api/live.js';
import { formatIso } from '../format/time.js';
import {
  ExemplarFeed,
  type ExemplarSource,
  type Exemplars,
  keyOf,
  nothingIn,
  type Question,
} from './exemplar-feed.js';
import { intervalOf } from './time-range.js';

/** The exemplars of a view's question and, with `isStreaming`, those that come from now on. */
export function useExemplars(
  question: Question,
  isStreaming: boolean,
): { readonly exemplars: Exemplars; readonly askAgain: () => void } {
  const [shown, setShown] = useState(() => nothingIn(intervalOf(question.range, Date.now())));
  const [feed] = useState(() => new ExemplarFeed(SERVER, shown, setShown));
  const key = keyOf(question);
  useEffect(() => feed.show(question, isStreaming), [key, isStreaming]);
  useEffect(() => () => feed.close(), []);
  const isCurrent = shown.question === key;
  return {
    exemplars: {
      ...shown,
      error: isCurrent ? shown.error : undefined,
      isLoading: shown.isLoading || !isCurrent,
    },
    askAgain: () => feed.askAgain(),
  };
}

const SERVER: ExemplarSource = {
  ask: ({ query, range, limit, source, minValue, maxValue }, { startMs, endMs }, signal) =>
    ask<SeriesExemplars[]>(
      'query_exemplars',
      {
        query,
        start: formatIso(startMs),
        // Clocks differ: whatever is newest is shown.
        end: range.kind === 'between' ? formatIso(endMs) : undefined,
        min_value: minValue,
        max_value: maxValue,
        order: 'desc',
        limit: limit + 1,
        source: source === 'all' ? undefined : source,
        show_source: 'true',
      },
      signal,
    ),
  follow: ({ query, minValue, maxValue }, events) =>
    openLive({ query, min_value: minValue, max_value: maxValue }, events),
};

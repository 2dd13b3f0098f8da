import { useEffect, useRef, useState } from 'preact/hooks';
import type { SeriesExemplars } from '../api/answers.js';
import { type ApiError, ask } from '../api/client.js';
import { type LiveState, openLive } from '../api/live.js';
import { apiErrorOf } from '../api/use-answer.js';
import { formatIso } from '../format/time.js';
import type { ExploreState } from './explore-state.js';
import { mergePoints, type Point, pointsOf } from './points.js';
import { type Interval, intervalOf } from './time-range.js';
import { pointsWithin, type WholeAnswer } from './whole-answer.js';

export interface Exemplars {
  /** In the order of time. Those of the question before stay while the next is asked. */
  readonly points: readonly Point[];
  readonly isLoading: boolean;
  /** An answer has come, for this question or one before. */
  readonly isAnswered: boolean;
  readonly error: ApiError | undefined;
  readonly warnings: readonly string[];
  /** Older ones may have been left out for the limit. */
  readonly isCut: boolean;
  /** What the time axis shows. */
  readonly interval: Interval;
  readonly live: LiveState | undefined;
  /** Left out by the server since the stream began, because they came too fast. */
  readonly skipped: number;
}

/** With the question that it is the answer to. */
interface Answered extends Exemplars {
  readonly question: string;
}

const NOTHING: Omit<Answered, 'interval' | 'question'> = {
  points: [],
  isLoading: false,
  isAnswered: false,
  error: undefined,
  warnings: [],
  isCut: false,
  live: undefined,
  skipped: 0,
};

/** Often enough to look alive, seldom enough for 100,000 points. */
const FLUSH_MS = 250;
/** Room beside the newest point, as a share of the window: it is not cut in half. */
const EDGE = 0.01;
/** Without news, the window still moves. */
const TICK_MS = 1000;
/** Scrapes bring exemplars late: before this, all have come. */
const SETTLED_MS = 5 * 60_000;

/** A stream that is about to open: the question waits for it, so that nothing comes between them unseen. */
interface Opening {
  readonly isOver: Promise<void>;
  isAwaited: boolean;
}

/** A stream that takes longer than this to open is not waited for. */
const OPENING_MS = 1000;
/** After a question that the server failed to answer, while a stream shows that somebody is watching. */
const RETRY_MS = 5000;

/**
 * The exemplars of a view's query, and with `isStreaming` those that come from now on.
 * @param again asks once more when it changes
 */
export function useExemplars(state: ExploreState, isStreaming: boolean, again: number): Exemplars {
  const { query, range, limit, source, minValue, maxValue } = state;
  const [exemplars, setExemplars] = useState<Answered>(() => ({
    ...NOTHING,
    question: '',
    interval: intervalOf(range, Date.now()),
  }));
  const [gaps, setGaps] = useState(0);
  const opening = useRef<Opening | undefined>(undefined);
  /** What the stream brought while an answer is on its way, which may not have it. */
  const meanwhile = useRef<readonly Point[] | undefined>(undefined);
  const whole = useRef<WholeAnswer | undefined>(undefined);
  const isAsking = useRef(false);
  /** A stream has opened since the answer that is awaited was asked for. */
  const hasGap = useRef(false);
  const values = { min_value: minValue, max_value: maxValue };
  const about = JSON.stringify([query, limit, source, again, gaps]);
  const question = JSON.stringify([query, range, limit, source, minValue, maxValue]);
  const isCurrent = exemplars.question === question;
  const error = isCurrent ? exemplars.error : undefined;
  // What is wrong with the question is wrong for the stream, too.
  const isRefused = error?.isOfQuestion === true;

  // Before the effect that asks, which waits for it.
  useEffect(() => {
    if (!isStreaming || query === '' || isRefused) return undefined;
    let pending: Point[] = [];
    let shownMs = 0;
    const cancelOpening = announce(opening);
    const close = openLive(
      { query, ...values },
      {
        onState: (live) => {
          if (live === 'waiting') cancelOpening();
          setExemplars((before) => ({ ...before, live }));
        },
        onOpen: () => {
          const isAwaited = opening.current?.isAwaited === true;
          cancelOpening();
          if (isAwaited) return;
          // What is asked already is waited for: a stream that comes and goes would starve a slow answer.
          if (isAsking.current) hasGap.current = true;
          else setGaps((count) => count + 1);
        },
        onExemplars: (answer) => {
          const points = pointsOf(answer);
          pending = pending.concat(points).slice(-limit);
          meanwhile.current = meanwhile.current?.concat(points).slice(-limit);
        },
        onSkipped: (count) => setExemplars((before) => ({ ...before, skipped: before.skipped + count })),
      },
    );
    const timer = setInterval(() => {
      const nowMs = Date.now();
      if (pending.length === 0 && nowMs - shownMs < TICK_MS) return;
      const more = pending;
      pending = [];
      shownMs = nowMs;
      setExemplars((before) =>
        // Points of another query have no place for these, which are kept for the answer meanwhile.
        before.question === question && before.isAnswered
          ? advance(before, more, intervalOf(range, nowMs), limit)
          : before,
      );
    }, FLUSH_MS);
    return () => {
      close();
      cancelOpening();
      clearInterval(timer);
      setExemplars((before) => ({ ...before, live: undefined, skipped: 0 }));
    };
  }, [question, isStreaming, isRefused]);

  // Whoever asks again does not want to read on what went wrong.
  useEffect(() => setExemplars((before) => ({ ...before, error: undefined })), [again]);

  useEffect(() => {
    const asked = intervalOf(range, Date.now());
    if (query === '') {
      setExemplars({ ...NOTHING, question, interval: asked });
      return undefined;
    }
    const bounds = { ...asked, minValue, maxValue };
    const known = range.kind === 'between' && whole.current && pointsWithin(whole.current, about, bounds);
    if (known) {
      setExemplars((before) => ({ ...before, ...answerOf(known), question, interval: asked }));
      return undefined;
    }
    const abort = new AbortController();
    meanwhile.current = [];
    const parameters = {
      query,
      start: formatIso(asked.startMs),
      // Clocks differ: whatever is newest is shown.
      end: range.kind === 'between' ? formatIso(asked.endMs) : undefined,
      order: 'desc',
      // One more tells whether there are more.
      limit: limit + 1,
      source: source === 'all' ? undefined : source,
      show_source: 'true',
      ...values,
    };
    const answer = async () => {
      if (opening.current) {
        opening.current.isAwaited = true;
        await opening.current.isOver;
      }
      const { data, warnings } = await ask<SeriesExemplars[]>('query_exemplars', parameters, abort.signal);
      const answered = pointsOf(data);
      const points = mergePoints(answered, meanwhile.current ?? [], asked.startMs, limit);
      const isCut = answered.length > limit;
      meanwhile.current = undefined;
      const settled = { ...bounds, endMs: Math.min(bounds.endMs, Date.now() - SETTLED_MS) };
      whole.current = isCut || warnings.length > 0 ? undefined : { about, bounds: settled, points };
      setExemplars((before) => ({
        ...before,
        ...answerOf(points, isCut, warnings),
        question,
        interval: upToNewest(asked, range.kind === 'last', points),
      }));
    };
    isAsking.current = true;
    hasGap.current = false;
    setExemplars((before) => ({ ...before, isLoading: true }));
    answer()
      .catch((error: unknown) => {
        if (abort.signal.aborted) return;
        const failed = {
          question,
          points: [],
          isLoading: false,
          isAnswered: false,
          error: apiErrorOf(error),
        };
        setExemplars((before) => ({ ...before, ...failed }));
      })
      .finally(() => {
        if (abort.signal.aborted) return;
        isAsking.current = false;
        if (hasGap.current) setGaps((count) => count + 1);
      });
    return () => {
      abort.abort();
      isAsking.current = false;
    };
  }, [question, again, gaps]);

  useEffect(() => {
    if (!isStreaming || error === undefined || isRefused) return undefined;
    const timer = setTimeout(() => setGaps((count) => count + 1), RETRY_MS);
    return () => clearTimeout(timer);
  }, [error, isStreaming, isRefused]);

  return { ...exemplars, error, isLoading: exemplars.isLoading || !isCurrent };
}

/** @returns ends the waiting: it has opened, or will not soon */
function announce(opening: { current: Opening | undefined }): () => void {
  let end = () => {};
  const isOver = new Promise<void>((resolve) => {
    end = resolve;
  });
  const announced = { isOver, isAwaited: false };
  opening.current = announced;
  const cancel = () => {
    clearTimeout(timer);
    if (opening.current === announced) opening.current = undefined;
    end();
  };
  const timer = setTimeout(cancel, OPENING_MS);
  return cancel;
}

function answerOf(points: readonly Point[], isCut = false, warnings: readonly string[] = []) {
  return { points, isCut, warnings, isLoading: false, isAnswered: true, error: undefined };
}

function advance(before: Answered, more: readonly Point[], window: Interval, limit: number): Answered {
  const merged = mergePoints(before.points, more, window.startMs, limit + 1);
  // What is left out is older than all that is shown: it leaves the window first.
  const isCut = merged.length > limit || (before.isCut && merged.length === limit);
  const points = merged.slice(-limit);
  return { ...before, points, isCut, interval: upToNewest(window, true, points) };
}

function upToNewest(interval: Interval, isOpen: boolean, points: readonly Point[]): Interval {
  if (!isOpen) return interval;
  const newestMs = points.at(-1)?.timeMs ?? 0;
  const room = EDGE * (interval.endMs - interval.startMs);
  return { ...interval, endMs: Math.max(interval.endMs, newestMs) + room };
}

import type { SeriesExemplars } from '../api/answers.js';
import { type Answer, type ApiError, apiErrorOf } from '../api/client.js';
import type { LiveEvents, LiveState } from '../api/live.js';
import type { ExploreState } from './explore-state.js';
import { mergePoints, type Point, pointsOf } from './points.js';
import { type Interval, intervalOf } from './time-range.js';
import { pointsWithin, type WholeAnswer } from './whole-answer.js';

/** All of a view that the answer depends on. */
export type Question = Pick<ExploreState, 'query' | 'range' | 'limit' | 'source' | 'minValue' | 'maxValue'>;

/** Where exemplars come from. */
export interface ExemplarSource {
  /** The newest of those that there are: one more than the limit tells whether there are more. */
  ask(question: Question, interval: Interval, signal: AbortSignal): Promise<Answer<SeriesExemplars[]>>;
  /** Those that come from now on, until the returned function is called. */
  follow(question: Question, events: LiveEvents): () => void;
}

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

/** With the question that it is the answer to, as `keyOf` says it. */
export interface Answered extends Exemplars {
  readonly question: string;
}

/** Often enough to look alive, seldom enough for 100,000 points. */
const FLUSH_MS = 250;
/** Without news, the window still moves. */
const MOVE_MS = 1000;
/** Room beside the newest point, as a share of the window: it is not cut in half. */
const EDGE = 0.01;
/** Scrapes bring exemplars late: before this, all have come. */
const SETTLED_MS = 5 * 60_000;
/** A stream that takes longer than this to open is not waited for. */
const OPENING_MS = 1000;
/** After a question that the server failed to answer, while a stream shows that somebody is watching. */
const RETRY_MS = 5000;

/** A question that is on its way. */
interface Asking {
  readonly abort: AbortController;
  /** Not sent yet: it waits for a stream that is about to open, so that nothing comes between them unseen. */
  isWaiting: boolean;
  /** What the stream has brought since, which the answer may not have. */
  arrived: readonly Point[];
  /** A stream has opened since: what came before it did may be in neither. */
  isOutdated: boolean;
}

interface Stream {
  /** Settles when it is open, or will not be soon. */
  readonly opening: Promise<void>;
  readonly close: () => void;
  /** What it brought and is not shown yet. */
  pending: readonly Point[];
  shownMs: number;
}

/**
 * What a view shows: the answer to its question and, while it streams, whatever comes after that. Neither an
 * answer nor a stream that comes late is ever taken for that of another question.
 */
export class ExemplarFeed {
  readonly #source: ExemplarSource;
  readonly #onChange: (shown: Answered) => void;
  #shown: Answered;
  #question: Question | undefined;
  #isStreaming = false;
  #asking: Asking | undefined;
  #stream: Stream | undefined;
  #whole: WholeAnswer | undefined;
  #retryMs = 0;

  constructor(source: ExemplarSource, shown: Answered, onChange: (shown: Answered) => void) {
    this.#source = source;
    this.#shown = shown;
    this.#onChange = onChange;
  }

  /** Asks where the question is another one than before; `isStreaming`: and goes on with what comes. */
  show(question: Question, isStreaming: boolean): void {
    const isOther = this.#question === undefined || keyOf(question) !== keyOf(this.#question);
    this.#question = question;
    this.#isStreaming = isStreaming;
    if (isOther || !isStreaming) this.#closeStream();
    this.#openStream();
    if (isOther) this.#answer(question);
  }

  askAgain(): void {
    if (this.#question === undefined || this.#question.query === '') return;
    // Whoever asks again does not want to read on what went wrong.
    this.#change({ error: undefined });
    this.#openStream();
    void this.#ask(this.#question);
  }

  close(): void {
    this.#stopAsking();
    this.#closeStream();
  }

  #answer(question: Question): void {
    const interval = intervalOf(question.range, Date.now());
    if (question.query === '') {
      this.#stopAsking();
      this.#change(nothingIn(interval, keyOf(question)));
      return;
    }
    const known = this.#known(question, interval);
    if (known === undefined) return void this.#ask(question);
    this.#stopAsking();
    this.#change({ ...answerOf(known), question: keyOf(question), interval });
  }

  #known(question: Question, interval: Interval): readonly Point[] | undefined {
    if (question.range.kind !== 'between' || this.#whole === undefined) return undefined;
    return pointsWithin(this.#whole, subjectOf(question), { ...question, ...interval });
  }

  async #ask(question: Question): Promise<void> {
    this.#stopAsking();
    const asking: Asking = {
      abort: new AbortController(),
      isWaiting: true,
      arrived: [],
      isOutdated: false,
    };
    this.#asking = asking;
    this.#change({ isLoading: true });
    const interval = intervalOf(question.range, Date.now());
    const { signal } = asking.abort;
    try {
      await this.#stream?.opening;
      asking.isWaiting = false;
      if (signal.aborted) return;
      const answer = await this.#source.ask(question, interval, signal);
      if (signal.aborted) return;
      this.#onAnswer(question, interval, answer, asking.arrived);
    } catch (error) {
      if (signal.aborted) return;
      this.#onFailure(question, apiErrorOf(error));
    }
    this.#asking = undefined;
    if (asking.isOutdated) void this.#ask(question);
  }

  #onAnswer(
    question: Question,
    interval: Interval,
    { data, warnings }: Answer<SeriesExemplars[]>,
    arrived: readonly Point[],
  ): void {
    const { range, limit } = question;
    const found = mergePoints(pointsOf(data), arrived, interval.startMs, limit + 1);
    const isCut = found.length > limit;
    const points = found.slice(-limit);
    const endMs = Math.min(interval.endMs, Date.now() - SETTLED_MS);
    this.#whole =
      isCut || warnings.length > 0
        ? undefined
        : { about: subjectOf(question), bounds: { ...question, ...interval, endMs }, points };
    this.#change({
      ...answerOf(points, isCut, warnings),
      question: keyOf(question),
      interval: range.kind === 'last' ? upToNewest(interval, points) : interval,
    });
  }

  #onFailure(question: Question, error: ApiError): void {
    this.#retryMs = Date.now() + RETRY_MS;
    this.#change({ question: keyOf(question), points: [], isLoading: false, isAnswered: false, error });
    // What is wrong with the question is wrong for the stream, too.
    if (error.isOfQuestion) this.#closeStream();
  }

  #stopAsking(): void {
    this.#asking?.abort.abort();
    this.#asking = undefined;
  }

  #openStream(): void {
    const question = this.#question;
    if (!this.#isStreaming || this.#stream !== undefined || !question?.query || this.#isRefused) return;
    let endOpening = () => {};
    const opening = new Promise<void>((resolve) => {
      endOpening = resolve;
    });
    const stream: Stream = {
      opening,
      close: () => {
        unfollow();
        clearTimeout(timeout);
        clearInterval(timer);
        endOpening();
      },
      pending: [],
      shownMs: 0,
    };
    this.#stream = stream;
    const timeout = setTimeout(endOpening, OPENING_MS);
    const timer = setInterval(() => this.#flush(question, stream), FLUSH_MS);
    const unfollow = this.#source.follow(question, {
      onState: (live) => {
        if (live === 'waiting') endOpening();
        this.#change({ live });
      },
      onOpen: () => {
        this.#onOpen(question);
        endOpening();
      },
      onExemplars: (answer) => {
        const points = pointsOf(answer);
        stream.pending = stream.pending.concat(points).slice(-question.limit - 1);
        if (this.#asking) {
          this.#asking.arrived = this.#asking.arrived.concat(points).slice(-question.limit - 1);
        }
      },
      onSkipped: (count) => this.#change({ skipped: this.#shown.skipped + count }),
    });
  }

  get #isRefused(): boolean {
    return (
      this.#question !== undefined &&
      this.#shown.question === keyOf(this.#question) &&
      this.#shown.error?.isOfQuestion === true
    );
  }

  /** What came before the stream did has to be asked for. */
  #onOpen(question: Question): void {
    if (this.#asking === undefined) void this.#ask(question);
    // What is asked already is waited for: a stream that comes and goes would starve a slow answer.
    else if (!this.#asking.isWaiting) this.#asking.isOutdated = true;
  }

  #flush(question: Question, stream: Stream): void {
    const nowMs = Date.now();
    if (this.#shown.error !== undefined && this.#asking === undefined && nowMs >= this.#retryMs) {
      void this.#ask(question);
    }
    if (stream.pending.length === 0 && nowMs - stream.shownMs < MOVE_MS) return;
    const { pending } = stream;
    stream.pending = [];
    stream.shownMs = nowMs;
    // Points of another question have no place for these; its own answer is on its way, and gets them.
    if (this.#shown.question !== keyOf(question) || !this.#shown.isAnswered) return;
    this.#change(advanced(this.#shown, pending, intervalOf(question.range, nowMs), question.limit));
  }

  #closeStream(): void {
    if (this.#stream === undefined) return;
    this.#stream.close();
    this.#stream = undefined;
    this.#change({ live: undefined, skipped: 0 });
  }

  #change(patch: Partial<Answered>): void {
    this.#shown = { ...this.#shown, ...patch };
    this.#onChange(this.#shown);
  }
}

export function keyOf({ query, range, limit, source, minValue, maxValue }: Question): string {
  return JSON.stringify([query, range, limit, source, minValue, maxValue]);
}

/** A question but for its bounds. */
function subjectOf({ query, limit, source }: Question): string {
  return JSON.stringify([query, limit, source]);
}

export function nothingIn(interval: Interval, question = ''): Answered {
  return {
    question,
    interval,
    points: [],
    isLoading: false,
    isAnswered: false,
    error: undefined,
    warnings: [],
    isCut: false,
    live: undefined,
    skipped: 0,
  };
}

function answerOf(points: readonly Point[], isCut = false, warnings: readonly string[] = []) {
  return { points, isCut, warnings, isLoading: false, isAnswered: true, error: undefined };
}

function advanced(
  before: Exemplars,
  more: readonly Point[],
  window: Interval,
  limit: number,
): Pick<Exemplars, 'points' | 'isCut' | 'interval'> {
  const merged = mergePoints(before.points, more, window.startMs, limit + 1);
  // What is left out is older than all that is shown: it leaves the window first.
  const isCut = merged.length > limit || (before.isCut && merged.length === limit);
  const points = merged.slice(-limit);
  return { points, isCut, interval: upToNewest(window, points) };
}

function upToNewest(interval: Interval, points: readonly Point[]): Interval {
  const newestMs = points.at(-1)?.timeMs ?? 0;
  const room = EDGE * (interval.endMs - interval.startMs);
  return { ...interval, endMs: Math.max(interval.endMs, newestMs) + room };
}

import type { ExemplarText } from '../exposition/exemplar-text.js';
import { columnOf } from '../exposition/verdict/exposition-error.js';
import { OpenMetricsSample } from '../exposition/verdict/openmetrics-sample.js';
import { decodeLabels } from '../model/encoded-labels.js';
import { hintsAtTrace, looksLikeTraceId, type TraceIdProblem, traceIdProblem } from './trace-ids.js';

/** What exemplars are measured by. */
export interface ExemplarRules {
  readonly nowMs: number;
  /** Labels that may hold the id of a trace, the likeliest first. */
  readonly traceIdLabels: readonly string[];
  /** Further ahead of the clock, an exemplar is refused. */
  readonly maxFutureMs: number;
  /** Of names and values together. */
  readonly maxCodePoints: number;
  /** Older exemplars are told of. */
  readonly oldMs: number;
}

/** How many, and where the first one stands. */
export interface Tally {
  count: number;
  readonly line: number;
  readonly column: number;
  /** What is of interest about the first, or the worst. */
  detail: string;
}

/** How far ahead of the clock an exemplar may be, unless a rule says otherwise. */
export const MAX_FUTURE_MS = 10 * 60_000;

const SMALL_UNITS = [
  { name: 'milliseconds', aSecond: 1e3 },
  { name: 'microseconds', aSecond: 1e6 },
  { name: 'nanoseconds', aSecond: 1e9 },
] as const;
/** So near to now, a time read in another unit is what was meant. */
const PLAUSIBLE_MS = 5 * 365 * 86_400_000;

/** Distinct label names, ids and the like that are told apart. */
const MAX_DISTINCT = 20;

/** What a sample is, as far as its exemplars are concerned. */
export interface ExemplarPlace {
  readonly line: number;
  readonly lineStart: number;
  readonly lineEnd: number;
  /** Of the exemplar: its opening brace. */
  readonly at: number;
  readonly family: string;
  /** Whether the specification has exemplars on such a sample. */
  readonly isAllowed: boolean;
  /** The sample stands for a whole histogram. */
  readonly isWholeHistogram: boolean;
}

/** Gathers what there is to say about the exemplars of a body. */
export class ExemplarTally {
  /** All that were met, refused or not. */
  count = 0;
  /** Not refused. */
  sound = 0;
  malformed: Tally | undefined;
  tooLong: Tally | undefined;
  blank: Tally | undefined;
  future: Tally | undefined;
  old: Tally | undefined;
  misplaced: Tally | undefined;
  withoutTimestamp: Tally | undefined;
  wholeHistogramWithoutTimestamp: Tally | undefined;
  withoutTraceId: Tally | undefined;
  /** Whether any exemplar tells that they are to point at traces; they may point at anything. */
  hintsAtTraces = false;
  /** By the name of a label that looks like the id of a trace, on exemplars that have none. */
  readonly lookalikes = new Map<string, Tally>();
  readonly traceIds = new Map<TraceIdProblem, Tally>();

  readonly #body: Buffer;
  readonly #rules: ExemplarRules;
  readonly #sample: OpenMetricsSample;
  #mostCodePoints = 0;
  #oldestMs = Number.POSITIVE_INFINITY;
  #newestMs = Number.NEGATIVE_INFINITY;

  constructor(body: Buffer, rules: ExemplarRules) {
    this.#body = body;
    this.#rules = rules;
    this.#sample = new OpenMetricsSample(body);
  }

  /** Age of the oldest of the old, and how far the furthest lies in the future; NaN without any. */
  get oldestMs(): number {
    return this.old === undefined ? Number.NaN : this.#rules.nowMs - this.#oldestMs;
  }

  get furthestMs(): number {
    return this.future === undefined ? Number.NaN : this.#newestMs - this.#rules.nowMs;
  }

  /** What the furthest was most likely written in, in the place of seconds; undefined where it may be seconds. */
  get futureUnit(): string | undefined {
    const { nowMs } = this.#rules;
    return SMALL_UNITS.find(({ aSecond }) => Math.abs(this.#newestMs / aSecond - nowMs) < PLAUSIBLE_MS)?.name;
  }

  get mostCodePoints(): number {
    return this.#mostCodePoints;
  }

  /** A line that has ` # {` behind a sample, but no exemplar that can be read. */
  addMalformed(place: ExemplarPlace): void {
    this.count++;
    if (this.malformed !== undefined) {
      this.malformed.count++;
      return;
    }
    const { line, lineStart, lineEnd } = place;
    const sample = this.#sample;
    const isSound = sample.read(lineStart, lineEnd);
    const at = isSound ? place.at : sample.problemAt;
    const detail = isSound ? 'it cannot be read' : sample.problem;
    this.malformed = { count: 1, line, column: columnOf(this.#body, lineStart, at), detail };
  }

  add(exemplar: ExemplarText, place: ExemplarPlace): void {
    this.count++;
    if (this.#isRefused(exemplar, place)) return;
    this.sound++;
    if (!place.isAllowed) this.misplaced = this.#tally(this.misplaced, place, place.family);
    if (!exemplar.hasOwnTimestamp) this.#addWithoutTimestamp(place);
    else if (exemplar.timestampMs < this.#rules.nowMs - this.#rules.oldMs) this.#addOld(exemplar, place);
    this.#addTraceId(exemplar, place);
  }

  #isRefused(exemplar: ExemplarText, place: ExemplarPlace): boolean {
    const { maxCodePoints, nowMs, maxFutureMs } = this.#rules;
    if (exemplar.labelsLength === 0) {
      this.blank = this.#tally(this.blank, place, '');
      return true;
    }
    if (exemplar.codePoints > maxCodePoints) {
      this.#mostCodePoints = Math.max(this.#mostCodePoints, exemplar.codePoints);
      this.tooLong = this.#tally(this.tooLong, place, '');
      return true;
    }
    if (!exemplar.hasOwnTimestamp || exemplar.timestampMs <= nowMs + maxFutureMs) return false;
    this.#newestMs = Math.max(this.#newestMs, exemplar.timestampMs);
    this.future = this.#tally(this.future, place, '');
    return true;
  }

  #addOld(exemplar: ExemplarText, place: ExemplarPlace): void {
    this.#oldestMs = Math.min(this.#oldestMs, exemplar.timestampMs);
    this.old = this.#tally(this.old, place, '');
  }

  #addWithoutTimestamp(place: ExemplarPlace): void {
    this.withoutTimestamp = this.#tally(this.withoutTimestamp, place, '');
    if (place.isWholeHistogram)
      this.wholeHistogramWithoutTimestamp = this.#tally(
        this.wholeHistogramWithoutTimestamp,
        place,
        place.family,
      );
  }

  #addTraceId(exemplar: ExemplarText, place: ExemplarPlace): void {
    const labels = decodeLabels(exemplar.labels, 0, exemplar.labelsLength);
    const id = valueOfFirst(labels, this.#rules.traceIdLabels);
    if (id === undefined) {
      this.#addWithoutTraceId(labels, place);
      return;
    }
    this.hintsAtTraces = true;
    const problem = traceIdProblem(id);
    if (problem === undefined) return;
    this.traceIds.set(problem, this.#tally(this.traceIds.get(problem), place, id));
  }

  #addWithoutTraceId(labels: readonly string[], place: ExemplarPlace): void {
    const names = labels.filter((_, i) => i % 2 === 0);
    const lookalike = names.find(looksLikeTraceId);
    this.hintsAtTraces ||=
      lookalike !== undefined || names.some((name, i) => hintsAtTrace(name, labels[2 * i + 1]!));
    if (lookalike === undefined) {
      this.withoutTraceId = this.#tally(this.withoutTraceId, place, names.join(', '));
    } else if (this.lookalikes.has(lookalike) || this.lookalikes.size < MAX_DISTINCT) {
      this.lookalikes.set(lookalike, this.#tally(this.lookalikes.get(lookalike), place, lookalike));
    }
  }

  #tally(known: Tally | undefined, place: ExemplarPlace, detail: string): Tally {
    if (known !== undefined) {
      known.count++;
      return known;
    }
    const column = columnOf(this.#body, place.lineStart, place.at);
    return { count: 1, line: place.line, column, detail };
  }
}

/** Labels are flat: name, value, name, value. */
function valueOfFirst(labels: readonly string[], names: readonly string[]): string | undefined {
  for (const name of names) {
    for (let i = 0; i < labels.length; i += 2) if (labels[i] === name) return labels[i + 1];
  }
  return undefined;
}

import type { Matcher } from '../model/matcher.js';
import type { PairRef, SeriesRef } from '../model/refs.js';
import type { TimeSlices } from '../util/time-slices.js';
import type { LabelInterner } from './interner.js';
import type { SeriesIndex } from './series-index.js';

/** After so many tries that were overtaken by changes, one without pauses, which nothing can overtake. */
const MAX_SLICED_TRIES = 3;

/** Series that meet every condition of at least one selector, each once, in no order. */
export async function selectSeries(
  index: SeriesIndex,
  selectors: readonly (readonly Matcher[])[],
  slices: TimeSlices,
): Promise<SeriesRef[]> {
  for (let tries = 1; ; tries++) {
    // The number of a removed pair is given to another: what was found out about it before is worth nothing.
    const { removals } = index.interner;
    const found = await selectAny(index, selectors, tries > MAX_SLICED_TRIES ? undefined : slices);
    if (index.interner.removals === removals) return found;
  }
}

async function selectAny(
  index: SeriesIndex,
  selectors: readonly (readonly Matcher[])[],
  slices: TimeSlices | undefined,
): Promise<SeriesRef[]> {
  if (selectors.length === 1) return selectAll(index, selectors[0]!, slices);
  const found = new Set<SeriesRef>();
  for (const matchers of selectors) {
    for (const series of await selectAll(index, matchers, slices)) found.add(series);
  }
  return [...found];
}

/**
 * The condition that leaves fewest candidates drives; the others are asked of each candidate. Every condition
 * judges a label value at most once, whatever number of series have it.
 */
async function selectAll(
  index: SeriesIndex,
  matchers: readonly Matcher[],
  slices: TimeSlices | undefined,
): Promise<SeriesRef[]> {
  const conditions = matchers.map((matcher) => new Condition(matcher, index.interner));
  const driver = await chooseDriver(conditions, slices);
  const others = conditions.filter((condition) => condition !== driver);
  const found: SeriesRef[] = [];
  for (const series of driver === undefined ? index.all() : driver.candidates()) {
    if (index.isLive(series) && others.every((condition) => condition.isMetBy(series, index)))
      found.push(series);
    if (slices?.isOver) await slices.pause();
  }
  return found;
}

/**
 * Of the conditions that a series must have the label for, the one with fewest candidates. One that must judge
 * more values than the best so far has candidates is not asked: it costs more than it could save.
 */
async function chooseDriver(
  conditions: readonly Condition[],
  slices: TimeSlices | undefined,
): Promise<Condition | undefined> {
  const byCost = conditions.filter((condition) => !condition.matchesMissing).sort((a, b) => a.cost - b.cost);
  let driver: Condition | undefined;
  for (const condition of byCost) {
    if (driver !== undefined && condition.cost > driver.candidateCount) break;
    await condition.judgeValues(slices);
    if (driver === undefined || condition.candidateCount < driver.candidateCount) driver = condition;
  }
  return driver;
}

/** A matcher over interned pairs, which remembers its verdict on each. */
class Condition {
  /** Whether a series without the label meets it. */
  readonly matchesMissing: boolean;
  /** Series with an accepted value. After `judgeValues`. */
  candidateCount = 0;
  readonly #matcher: Matcher;
  readonly #interner: LabelInterner;
  readonly #verdicts = new Map<PairRef, boolean>();
  readonly #accepted: PairRef[] = [];

  constructor(matcher: Matcher, interner: LabelInterner) {
    this.matchesMissing = matcher.matches('');
    this.#matcher = matcher;
    this.#interner = interner;
  }

  /** Values that `judgeValues` has to judge. */
  get cost(): number {
    return this.#matcher.type === '=' ? 1 : this.#interner.valueCount(this.#matcher.name);
  }

  isMetBy(series: SeriesRef, index: SeriesIndex): boolean {
    const pair = index.pairNamed(series, this.#matcher.name);
    return pair === undefined ? this.matchesMissing : this.#accepts(pair);
  }

  async judgeValues(slices: TimeSlices | undefined): Promise<void> {
    const { type, name, value } = this.#matcher;
    if (type === '=') {
      this.#accept(this.#interner.find(name, value));
      return;
    }
    for (const [, pair] of this.#interner.valuesOf(name)) {
      if (this.#accepts(pair)) this.#accept(pair);
      if (slices?.isOver) await slices.pause();
    }
  }

  /** Series with an accepted value, each once. */
  *candidates(): Generator<SeriesRef> {
    for (const pair of this.#accepted) {
      // Gone with its last series, in a pause.
      const postings = this.#interner.postings(pair);
      for (let i = 0; postings !== undefined && i < postings.length; i++) yield postings.at(i);
    }
  }

  #accept(pair: PairRef | undefined): void {
    if (pair === undefined) return;
    this.#accepted.push(pair);
    this.candidateCount += this.#interner.postings(pair)?.length ?? 0;
  }

  #accepts(pair: PairRef): boolean {
    let verdict = this.#verdicts.get(pair);
    if (verdict === undefined) {
      verdict = this.#matcher.matches(this.#interner.value(pair));
      this.#verdicts.set(pair, verdict);
    }
    return verdict;
  }
}

/** One window: its groups, who could stand for them, which of those exist, and who is chosen. Writes nothing. */
import {
  type Candidate,
  type CandidateRange,
  type CandidateSource,
  type Group,
  isByValue,
} from './candidates.js';
import { type Choice, choose, type PolicyCandidates } from './choose.js';
import type { PolicyOptions, SamplingJobOptions } from './options.js';
import type { SpanStore } from './spans.js';
import { endOf, type Window } from './window.js';

/** What there is to choose from. */
export interface WindowCandidates {
  readonly groups: readonly Group[];
  /** There are more groups than the limit; those left out are not seen. */
  readonly isCut: boolean;
  readonly policies: readonly PolicyCandidates[];
  /** Undefined: nobody can know. */
  readonly existing: ReadonlySet<string> | undefined;
  /** Ids that were looked up. */
  readonly checked: number;
}

/** How many candidates of a group are looked up at a time, as long as none of its traces is found. */
const FIRST_LOOK = 8;
const NEXT_LOOK_FACTOR = 32;

export interface PickerParts {
  readonly source: CandidateSource;
  readonly options: SamplingJobOptions;
  /** Undefined: whether there is a trace cannot be known. */
  readonly spans: Pick<SpanStore, 'existing'> | undefined;
}

export class Picker {
  readonly #parts: PickerParts;

  constructor(parts: PickerParts) {
    this.#parts = parts;
  }

  /** @throws {DatabaseError} */
  async candidates(
    window: Window,
    policies: readonly PolicyOptions[] = this.#parts.options.policies,
  ): Promise<WindowCandidates> {
    const { source, options, spans } = this.#parts;
    const all = await source.groups(window);
    const groups = all.slice(0, options.limits.groups);
    const existence = new Existence(spans, window, options.limits.candidates);
    const searches = policies.map((policy) => new Search(policy, groups));
    for (; groups.length > 0; ) {
      const open = searches.filter(({ range }) => range !== undefined);
      if (open.length === 0 || existence.isSpent) break;
      const asked = new Map<string, Promise<Candidate[]>>();
      const seen: Candidate[][] = [];
      for (const { policy, range } of open) {
        // Without spans to look for, the first will do.
        const limit = spans === undefined ? policy.perGroup : range!.limit;
        // Policies may differ in the order of groups alone.
        const key = JSON.stringify([
          isByValue(policy),
          policy.type === 'probabilistic' && policy.rate,
          policy.selectors,
          range,
          limit,
        ]);
        const answer = asked.get(key) ?? source.candidates(policy, window, { ...range!, limit });
        asked.set(key, answer);
        seen.push(await answer);
      }
      // All policies at once: each look reads the ids of all spans around the window.
      await existence.look(seen.flat());
      open.forEach((search, i) => {
        search.add(seen[i]!, spans === undefined ? undefined : existence.found);
      });
    }
    return {
      groups,
      isCut: all.length > groups.length,
      policies: searches.map(({ policy, candidates }) => ({ policy, candidates })),
      existing: spans === undefined ? undefined : existence.found,
      checked: existence.checked,
    };
  }
}

/** The candidates of one policy: for groups of whose candidates none exists, further ones, ever more, until one does. */
class Search {
  readonly policy: PolicyOptions;
  readonly candidates: Candidate[] = [];
  /** What to ask for next; undefined: there is enough, or no more. */
  range: CandidateRange | undefined;
  #open: ReadonlySet<string>;

  constructor(policy: PolicyOptions, groups: readonly Group[]) {
    this.policy = policy;
    this.range = { offset: 0, limit: policy.perGroup + FIRST_LOOK };
    this.#open = new Set(groups.map(({ id }) => id));
  }

  /** @param found undefined: nobody can know which traces exist */
  add(seen: readonly Candidate[], found: ReadonlySet<string> | undefined): void {
    const { offset, limit } = this.range!;
    // Later ones only stand in for the first, and only where they exist.
    this.candidates.push(...(offset === 0 ? seen : seen.filter(({ traceId }) => found?.has(traceId))));
    this.range = undefined;
    if (found === undefined || this.policy.type === 'probabilistic') return;
    this.#open = openGroups(this.#open, seen, found, limit);
    if (this.#open.size > 0)
      this.range = { offset: offset + limit, limit: NEXT_LOOK_FACTOR * limit, groupIds: [...this.#open] };
  }
}

/** Groups that are still without a trace that exists, and had as many candidates as were asked for: there may be more. */
function openGroups(
  before: ReadonlySet<string>,
  seen: readonly Candidate[],
  found: ReadonlySet<string>,
  asked: number,
): Set<string> {
  const counts = new Map<string, number>();
  const covered = new Set<string>();
  for (const { groupId, traceId } of seen) {
    counts.set(groupId, (counts.get(groupId) ?? 0) + 1);
    if (found.has(traceId)) covered.add(groupId);
  }
  return new Set([...before].filter((id) => (counts.get(id) ?? 0) >= asked && !covered.has(id)));
}

/** Looks each id up once, and so many at most. */
class Existence {
  readonly found = new Set<string>();
  readonly #spans: Pick<SpanStore, 'existing'> | undefined;
  readonly #window: Window;
  readonly #limit: number;
  readonly #looked = new Set<string>();

  constructor(spans: Pick<SpanStore, 'existing'> | undefined, window: Window, limit: number) {
    this.#spans = spans;
    this.#window = window;
    this.#limit = limit;
  }

  get checked(): number {
    return this.#looked.size;
  }

  get isSpent(): boolean {
    return this.#looked.size >= this.#limit;
  }

  async look(candidates: readonly Candidate[]): Promise<void> {
    if (this.#spans === undefined) return;
    const ids = new Set<string>();
    for (const { traceId } of candidates) {
      if (this.#looked.size >= this.#limit) break;
      if (this.#looked.has(traceId)) continue;
      this.#looked.add(traceId);
      ids.add(traceId);
    }
    if (ids.size === 0) return;
    const times = { fromMs: this.#window.startMs, toMs: endOf(this.#window) };
    for (const id of await this.#spans.existing([...ids], times)) this.found.add(id);
  }
}

/** Chooses among what was gathered. */
export function chooseFrom(
  { groups, policies, existing }: WindowCandidates,
  options: Pick<SamplingJobOptions, 'budget'>,
): Choice {
  return choose({
    groups,
    policies,
    budget: options.budget,
    exists: (traceId) => existing?.has(traceId) ?? true,
  });
}

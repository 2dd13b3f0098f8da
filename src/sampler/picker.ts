/** One window: its groups, who could stand for them, which of those exist, and who is chosen. Writes nothing. */
import type { Candidate, CandidateSource, Group } from './candidates.js';
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
const NEXT_LOOK_FACTOR = 8;

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
    const gathered: PolicyCandidates[] = [];
    for (const policy of groups.length === 0 ? [] : policies) {
      const perGroup = policy.perGroup + (spans === undefined ? 0 : FIRST_LOOK);
      const candidates = await source.candidates(policy, window, { offset: 0, limit: perGroup });
      await existence.look(candidates);
      if (spans !== undefined && policy.type !== 'probabilistic')
        candidates.push(...(await this.#nextBest(policy, window, groups, candidates, perGroup, existence)));
      gathered.push({ policy, candidates });
    }
    return {
      groups,
      isCut: all.length > groups.length,
      policies: gathered,
      existing: spans === undefined ? undefined : existence.found,
      checked: existence.checked,
    };
  }

  /** For groups of whose candidates none exists: further ones, ever more, until one does or there are no more. */
  async #nextBest(
    policy: PolicyOptions,
    window: Window,
    groups: readonly Group[],
    first: readonly Candidate[],
    firstLimit: number,
    existence: Existence,
  ): Promise<Candidate[]> {
    const more: Candidate[] = [];
    let seen = first;
    let offset = firstLimit;
    let open = new Set(groups.map(({ id }) => id));
    for (let limit = FIRST_LOOK * NEXT_LOOK_FACTOR; ; limit *= NEXT_LOOK_FACTOR) {
      open = openGroups(open, seen, existence, offset === firstLimit ? firstLimit : limit / NEXT_LOOK_FACTOR);
      if (open.size === 0 || existence.isSpent) return more;
      seen = await this.#parts.source.candidates(policy, window, { offset, limit, groupIds: [...open] });
      await existence.look(seen);
      more.push(...seen.filter(({ traceId }) => existence.found.has(traceId)));
      offset += limit;
    }
  }
}

/** Groups that are still without a trace that exists, and had as many candidates as were asked for: there may be more. */
function openGroups(
  before: ReadonlySet<string>,
  seen: readonly Candidate[],
  existence: Existence,
  asked: number,
): Set<string> {
  const counts = new Map<string, number>();
  const covered = new Set<string>();
  for (const { groupId, traceId } of seen) {
    counts.set(groupId, (counts.get(groupId) ?? 0) + 1);
    if (existence.found.has(traceId)) covered.add(groupId);
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

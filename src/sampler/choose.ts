/**
 * Who of the candidates is kept: policies in turn, each with its share of the budget. No I/O; the same input gives the
 * same picks, so runs can be repeated, and two samplers agree.
 *
 * 1. Each policy takes up to its share, and what the ones before it left of theirs.
 * 2. What is left goes to whoever wants more, in the same order.
 * 3. Then come groups of which no trace is found: the best of each, should its spans still arrive.
 */
import { type Candidate, type Group, isByValue } from './candidates.js';
import type { BudgetOptions, PolicyOptions } from './options.js';

export interface PolicyCandidates {
  readonly policy: PolicyOptions;
  /** In the order of the policy. */
  readonly candidates: readonly Candidate[];
}

export interface ChooseInput {
  readonly groups: readonly Group[];
  readonly policies: readonly PolicyCandidates[];
  readonly budget: Pick<BudgetOptions, 'tracesPerRun' | 'serviceShare'>;
  /** Whether there are spans of a trace; where nobody can know, always true. */
  readonly exists: (traceId: string) => boolean;
}

export interface PickedTrace {
  readonly traceId: string;
  /** Names of policies, the first that picked it in front. */
  readonly reasons: readonly string[];
  /** 0: by no policy of chance. */
  readonly rate: number;
  readonly groupIds: readonly string[];
  readonly service: string;
  readonly value: number;
  readonly refMs: number;
  readonly exists: boolean;
}

export type ExhaustedBudget = 'traces' | 'service';

export interface Choice {
  /** The most important first. */
  readonly picks: readonly PickedTrace[];
  /** Groups that have a trace that exists among the picks. */
  readonly covered: ReadonlySet<string>;
  /** What kept more from being picked. */
  readonly exhausted: ReadonlySet<ExhaustedBudget>;
}

export function choose(input: ChooseInput): Choice {
  const { budget, exists, policies } = input;
  const known = new Map(input.groups.map((group) => [group.id, group]));
  const picks = new Picks(budget, exists);
  const turns = policies.map(({ policy, candidates }) => {
    const ofGroups = candidates.filter(({ groupId }) => known.has(groupId));
    const found = ofGroups.filter(({ traceId }) => exists(traceId));
    return { policy, all: ofGroups, turn: new Turn(policy, queues(policy, found, known), picks) };
  });
  let unused = 0;
  for (const { policy, turn } of turns) {
    const share = Math.floor(policy.share * budget.tracesPerRun) + unused;
    unused = share - turn.take(share);
  }
  for (const { turn } of turns) turn.take(Number.POSITIVE_INFINITY);
  for (const { policy, all } of turns) {
    if (policy.type === 'probabilistic') continue;
    const missing = all.filter(({ groupId }) => !picks.stoodFor.has(groupId));
    new Turn({ ...policy, perGroup: 1 }, queues(policy, missing, known), picks).take(
      Number.POSITIVE_INFINITY,
    );
  }
  const rates = new Map(turns.map(({ policy, turn }) => [policy.name, turn.effectiveRate]));
  return { picks: picks.all(rates), covered: picks.covered, exhausted: picks.exhausted };
}

interface MutablePick {
  readonly candidate: Candidate;
  readonly reasons: string[];
  readonly groupIds: Set<string>;
}

type Taken = 'new' | 'again' | 'service is full' | 'budget is spent';

class Picks {
  readonly exhausted = new Set<ExhaustedBudget>();
  readonly covered = new Set<string>();
  /** Groups that have any pick. */
  readonly stoodFor = new Set<string>();
  readonly #byTrace = new Map<string, MutablePick>();
  readonly #byService = new Map<string, number>();
  readonly #tracesPerRun: number;
  readonly #tracesPerService: number;
  readonly #exists: (traceId: string) => boolean;

  constructor({ tracesPerRun, serviceShare }: ChooseInput['budget'], exists: (id: string) => boolean) {
    this.#tracesPerRun = tracesPerRun;
    this.#tracesPerService = Math.max(1, Math.floor(serviceShare * tracesPerRun));
    this.#exists = exists;
  }

  /** Picked by anyone: to pick it again takes nothing from a budget. */
  has({ traceId }: Candidate): boolean {
    return this.#byTrace.has(traceId);
  }

  take(candidate: Candidate, reason: string): Taken {
    const { traceId, service } = candidate;
    const before = this.#byTrace.get(traceId);
    if (before !== undefined) {
      if (!before.reasons.includes(reason)) before.reasons.push(reason);
      before.groupIds.add(candidate.groupId);
      this.#cover(candidate);
      return 'again';
    }
    if (this.#byTrace.size >= this.#tracesPerRun) {
      this.exhausted.add('traces');
      return 'budget is spent';
    }
    const ofService = this.#byService.get(service) ?? 0;
    if (ofService >= this.#tracesPerService) {
      this.exhausted.add('service');
      return 'service is full';
    }
    this.#byService.set(service, ofService + 1);
    this.#byTrace.set(traceId, { candidate, reasons: [reason], groupIds: new Set([candidate.groupId]) });
    this.#cover(candidate);
    return 'new';
  }

  all(rates: ReadonlyMap<string, number>): PickedTrace[] {
    return [...this.#byTrace.values()].map(({ candidate, reasons, groupIds }) => ({
      traceId: candidate.traceId,
      reasons,
      rate: Math.max(...reasons.map((reason) => rates.get(reason) ?? 0)),
      groupIds: [...groupIds],
      service: candidate.service,
      value: candidate.value,
      refMs: candidate.refMs,
      exists: this.#exists(candidate.traceId),
    }));
  }

  #cover({ groupId, traceId }: Candidate): void {
    this.stoodFor.add(groupId);
    if (this.#exists(traceId)) this.covered.add(groupId);
  }
}

/** The candidates of one group that a policy has not come to yet. */
interface Queue {
  readonly candidates: readonly Candidate[];
  next: number;
  taken: number;
}

/** One policy's way through its candidates. It can be stopped by its share, and goes on from there. */
class Turn {
  readonly #policy: PolicyOptions;
  readonly #queues: readonly Queue[];
  readonly #picks: Picks;
  #leftOutAtHash: number | undefined;

  constructor(policy: PolicyOptions, queues: readonly Queue[], picks: Picks) {
    this.#policy = policy;
    this.#queues = queues;
    this.#picks = picks;
  }

  /**
   * Of a policy of chance: where the budget has cut it short, only hashes below that of the first left out are kept for
   * sure, and that is its true rate. 0: of another policy.
   */
  get effectiveRate(): number {
    const { type, rate } = this.#policy;
    return type === 'probabilistic' ? Math.min(rate, this.#leftOutAtHash ?? 1) : 0;
  }

  /** Every group gets its first before any gets its second. @returns how many traces are new */
  take(limit: number): number {
    const rounds = this.#policy.type === 'probabilistic' ? 1 : Math.max(0, this.#policy.perGroup);
    let taken = 0;
    for (let round = 1; round <= rounds; round++) {
      for (const queue of this.#queues) {
        while (queue.taken < round && queue.next < queue.candidates.length) {
          const candidate = queue.candidates[queue.next]!;
          if (taken >= limit && !this.#picks.has(candidate)) return taken;
          const outcome = this.#picks.take(candidate, this.#policy.name);
          if (outcome === 'budget is spent') {
            this.#leftOutAtHash ??= candidate.hash;
            return taken;
          }
          queue.next++;
          if (outcome === 'service is full') {
            this.#leftOutAtHash ??= candidate.hash;
            continue;
          }
          queue.taken++;
          if (outcome === 'new') taken++;
        }
      }
    }
    return taken;
  }
}

/** The groups in the order of the policy: who comes first when there is not enough for all. */
function queues(
  policy: PolicyOptions,
  candidates: readonly Candidate[],
  groups: ReadonlyMap<string, Group>,
): Queue[] {
  const toQueue = (each: readonly Candidate[]): Queue => ({ candidates: each, next: 0, taken: 0 });
  if (policy.type === 'probabilistic') return candidates.map((candidate) => toQueue([candidate]));
  const byGroup = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const ofGroup = byGroup.get(candidate.groupId);
    if (ofGroup === undefined) byGroup.set(candidate.groupId, [candidate]);
    else ofGroup.push(candidate);
  }
  const traces = (queue: Queue) => groups.get(queue.candidates[0]!.groupId)!.traces;
  const byHash = (a: Queue, b: Queue) =>
    a.candidates[0]!.hash - b.candidates[0]!.hash ||
    compare(a.candidates[0]!.groupId, b.candidates[0]!.groupId);
  const sorted = [...byGroup.values()].map(toQueue).sort(byHash);
  if (isByValue(policy))
    return sorted.sort((a, b) => descending(a.candidates[0]!.value, b.candidates[0]!.value));
  return policy.type === 'rare' ? sorted.sort((a, b) => traces(a) - traces(b)) : sorted;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** NaN last; equal infinities are equal. */
function descending(a: number, b: number): number {
  if (a === b) return 0;
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return b - a;
}

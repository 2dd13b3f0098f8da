/** What policies would have kept of past windows, side by side. Writes nothing. */
import { choose } from './choose.js';
import type { PolicyOptions, SamplingJobOptions } from './options.js';
import type { WindowCandidates } from './picker.js';

export interface PolicyFigures {
  /** Names of the policies; that of the configuration has several. */
  readonly policies: readonly string[];
  windows: number;
  groups: number;
  covered: number;
  chosen: number;
  missing: number;
  /** By the first reason. */
  readonly byPolicy: Record<string, number>;
}

/** All of a job's policies together, and each on its own with the whole budget. */
export class Comparison {
  readonly #budget: SamplingJobOptions['budget'];
  readonly #variants: readonly {
    readonly policies: readonly PolicyOptions[];
    readonly figures: PolicyFigures;
  }[];

  constructor(
    { budget, policies }: Pick<SamplingJobOptions, 'budget' | 'policies'>,
    isEachCompared: boolean,
  ) {
    this.#budget = budget;
    const alone =
      isEachCompared && policies.length > 1 ? policies.map((each) => [{ ...each, share: 1 }]) : [];
    this.#variants = [policies, ...alone].map((variant) => ({
      policies: variant,
      figures: {
        policies: variant.map(({ name }) => name),
        windows: 0,
        groups: 0,
        covered: 0,
        chosen: 0,
        missing: 0,
        byPolicy: {},
      },
    }));
  }

  get figures(): readonly PolicyFigures[] {
    return this.#variants.map(({ figures }) => figures);
  }

  add({ groups, policies, existing }: WindowCandidates): void {
    const gathered = new Map(policies.map((each) => [each.policy.name, each.candidates]));
    for (const { policies: variant, figures } of this.#variants) {
      const choice = choose({
        groups,
        policies: variant.map((policy) => ({ policy, candidates: gathered.get(policy.name) ?? [] })),
        budget: this.#budget,
        exists: (traceId) => existing?.has(traceId) ?? true,
      });
      figures.windows++;
      figures.groups += groups.length;
      figures.covered += choice.covered.size;
      figures.chosen += choice.picks.length;
      for (const { exists, reasons } of choice.picks) {
        if (!exists) figures.missing++;
        const [reason = ''] = reasons;
        figures.byPolicy[reason] = (figures.byPolicy[reason] ?? 0) + 1;
      }
    }
  }
}

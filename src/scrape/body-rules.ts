import { isDeepStrictEqual } from 'node:util';
import { type CompiledRules, compileRules } from '../model/relabel.js';
import type { ExemplarValidation, ScrapeJobOptions } from './options.js';
import type { SeriesLabelRules } from './series-labels.js';

/** What a job says about the exemplars of its targets. */
export interface BodyRules extends SeriesLabelRules {
  readonly honorTimestamps: boolean;
  /** `exemplar_relabel_configs` */
  readonly exemplarRelabelRules: CompiledRules;
  readonly exemplarValidation: ExemplarValidation;
  /** A body with more samples, with exemplars or without, is refused; 0 means no limit. */
  readonly sampleLimit: number;
}

const PLAIN_RULES = [
  'honorLabels',
  'honorTimestamps',
  'exemplarValidation',
  'nameValidation',
  'sampleLimit',
  'labelLimit',
  'labelNameLengthLimitBytes',
  'labelValueLengthLimitBytes',
] as const satisfies readonly (keyof ScrapeJobOptions & keyof BodyRules)[];

const RELABEL_RULES = ['metricRelabelRules', 'exemplarRelabelRules'] as const;

export function bodyRulesOf(job: ScrapeJobOptions): BodyRules {
  return {
    ...job,
    joinsBuckets: false,
    metricRelabelRules: compileRules(job.metricRelabelRules, job.nameValidation),
    exemplarRelabelRules: compileRules(job.exemplarRelabelRules, job.nameValidation),
  };
}

/** Whether series that a target shows keep their labels, and are judged as before. */
export function haveSameBodyRules(a: ScrapeJobOptions, b: ScrapeJobOptions): boolean {
  return [...PLAIN_RULES, ...RELABEL_RULES].every((key) => isDeepStrictEqual(a[key], b[key]));
}

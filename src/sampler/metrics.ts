import { Counter, Gauge, Histogram } from 'prom-client';
import type { MetricsRegistry } from '../telemetry/registry.js';
import type { Behind } from './progress.js';
import type { WindowFigures } from './window-book.js';

/** What did not work, as the metric calls it. */
export type FailureReason = 'archive' | 'traces' | 'webhook' | 'too_many_groups' | 'trace_too_large';
export type BudgetName = 'traces' | 'service' | 'spans';

const FAILURE_REASONS: readonly FailureReason[] = ['archive', 'traces', 'webhook', 'too_many_groups', 'trace_too_large']; // biome-ignore format: one list
const BUDGETS: readonly BudgetName[] = ['traces', 'service', 'spans'];

const COUNTED = {
  windows: 'Windows decided about.',
  exemplars: 'Exemplars with a trace in these windows.',
  groups_seen: 'Groups of series that had such exemplars, by window.',
  groups_covered: 'Of these, groups of which a trace that exists was chosen.',
  traces_chosen: 'Traces chosen.',
  traces_found: 'Of these, traces of which there are spans.',
  traces_missing: 'Of these, traces of which there are none: the exemplars are dead.',
  candidates_checked: 'Trace ids of exemplars that were looked up.',
  candidates_missing: 'Of these, ids without any span.',
  spans_copied: 'Spans copied to the table of kept traces.',
  late_spans_copied: 'Of these, spans that came after their trace was copied first.',
  source_spans: 'Spans that the source had in the windows.',
} as const;
export type Counted = keyof typeof COUNTED;

/** Figures of sampling by job. One object a process. */
export class SamplerMetrics {
  readonly #counters: Readonly<Record<Counted, Counter<'job'>>>;
  readonly #failures: Counter<'job' | 'reason'>;
  readonly #exhausted: Counter<'job' | 'budget'>;
  readonly #coverage: Gauge<'job'>;
  readonly #keepRatio: Gauge<'job'>;
  readonly #lagSeconds: Gauge<'job'>;
  readonly #pending: Gauge<'job'>;
  /** Asked whenever metrics are rendered: a job whose run hangs, or fails, says nothing by itself. */
  readonly #behind = new Map<string, () => Behind>();
  readonly #runSeconds: Histogram<'job'>;

  constructor(registry: MetricsRegistry) {
    const of = <Name extends string>(name: string, help: string, more: readonly Name[]) => ({
      name: `exemplard_sampler_${name}`,
      help,
      labelNames: ['job', ...more] as ('job' | Name)[],
      registers: [registry],
    });
    const counters = Object.entries(COUNTED).map(
      ([name, help]) => [name, new Counter(of(`${name}_total`, help, []))] as const,
    );
    this.#counters = Object.fromEntries(counters) as Record<Counted, Counter<'job'>>;
    this.#failures = new Counter(
      of('failures_total', 'What did not work, by reason. Windows are tried again.', ['reason']),
    );
    this.#exhausted = new Counter(
      of('budget_exhausted_total', 'Windows in which a budget kept more from being chosen or copied.', [
        'budget',
      ]),
    );
    this.#coverage = new Gauge(
      of('coverage_ratio', 'Groups of the last window of which a trace that exists was chosen.', []),
    );
    this.#keepRatio = new Gauge(of('keep_ratio', 'Spans of the last window copied, of all it had.', []));
    const behind = this.#behind;
    this.#lagSeconds = new Gauge({
      ...of(
        'lag_seconds',
        'Time since the end of the last window that is done: decided about and, where spans are copied, copied.',
        [],
      ),
      collect() {
        for (const [job, read] of behind) this.set({ job }, read().lagSeconds);
      },
    });
    this.#pending = new Gauge({
      ...of('pending_windows', 'Windows that are closed and settled, and not yet decided about.', []),
      collect() {
        for (const [job, read] of behind) this.set({ job }, read().pendingWindows);
      },
    });
    this.#runSeconds = new Histogram({
      ...of('run_duration_seconds', 'Duration of runs.', []),
      buckets: [0.1, 0.5, 1, 5, 10, 30, 60, 300],
    });
  }

  /** From now on there are figures of this job, if only zeros. */
  add(job: string, behind: () => Behind): void {
    this.#behind.set(job, behind);
    for (const counter of Object.values(this.#counters)) counter.inc({ job }, 0);
    for (const reason of FAILURE_REASONS) this.#failures.inc({ job, reason }, 0);
    for (const budget of BUDGETS) this.#exhausted.inc({ job, budget }, 0);
  }

  /** Takes the figures of a job off `/metrics`. */
  forget(job: string): void {
    this.#behind.delete(job);
    const all = [this.#coverage, this.#keepRatio, this.#lagSeconds, this.#pending, this.#runSeconds];
    for (const metric of [...Object.values(this.#counters), ...all]) metric.remove({ job });
    for (const reason of FAILURE_REASONS) this.#failures.remove({ job, reason });
    for (const budget of BUDGETS) this.#exhausted.remove({ job, budget });
  }

  count(job: string, name: Counted, by: number): void {
    this.#counters[name].inc({ job }, by);
  }

  failed(job: string, reason: FailureReason): void {
    this.#failures.inc({ job, reason });
  }

  exhausted(job: string, budget: BudgetName): void {
    this.#exhausted.inc({ job, budget });
  }

  /** Of a window that was decided about. */
  decided(job: string, figures: WindowFigures): void {
    this.count(job, 'windows', 1);
    this.count(job, 'exemplars', figures.exemplars);
    this.count(job, 'groups_seen', figures.groups);
    this.count(job, 'groups_covered', figures.covered);
    this.count(job, 'traces_chosen', figures.chosen);
    this.count(job, 'traces_found', figures.found);
    this.count(job, 'traces_missing', figures.missing);
    if (figures.groups > 0) this.#coverage.set({ job }, figures.covered / figures.groups);
  }

  keptPart(job: string, spans: number, sourceSpans: number): void {
    this.count(job, 'source_spans', sourceSpans);
    if (sourceSpans > 0) this.#keepRatio.set({ job }, spans / sourceSpans);
  }

  ran(job: string, seconds: number): void {
    this.#runSeconds.observe({ job }, seconds);
  }
}

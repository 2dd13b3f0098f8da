/**
 * One job: which windows are to be decided about, and what is then done for each. Every step can be repeated: picks are
 * the same for the same exemplars, decisions that are there are taken as they are, and what is copied is left out.
 *
 *     window closed ─ settle ─► pick, store decisions ─► ship them to where spans are ─► copy ─► late spans, thrice
 */
import { DatabaseError } from '../clickhouse/database.js';
import type { Clock } from '../util/clock.js';
import type { Log } from '../util/log.js';
import { CandidateSource } from './candidates.js';
import type { Choice } from './choose.js';
import { type Decision, DecisionTable, type PlacedDecision, placedAt } from './decisions.js';
import { FailureLog } from './failure-log.js';
import type { FailureReason, SamplerMetrics } from './metrics.js';
import type { SamplingJobOptions } from './options.js';
import { chooseFrom, Picker, type WindowCandidates } from './picker.js';
import type { PreparedDatabases, SamplingDatabase } from './prepared.js';
import { JobProgress } from './progress.js';
import { SpanBudget } from './span-budget.js';
import { copySpans } from './span-copier.js';
import { SpanStore, TracesError } from './spans.js';
import { findTraceTables } from './trace-tables.js';
import {
  COPIED,
  DecidedTimes,
  dueMs,
  endOf,
  lastStage,
  PICKED,
  settledWindows,
  stageAfterLook,
  type Window,
} from './window.js';
import { NO_FIGURES, WindowBook, type WindowRecord } from './window-book.js';

export interface JobParts {
  readonly options: SamplingJobOptions;
  /** Undefined: there is none at the moment. */
  readonly archive: () => SamplingDatabase | undefined;
  /** Where spans are, if that is elsewhere. */
  readonly traces: SamplingDatabase | undefined;
  readonly prepared: PreparedDatabases;
  /** Up to when the archive has every exemplar, in milliseconds since 1970. */
  readonly archivedUntilMs: () => number;
  /** Gives decisions their times, in the order in which they are stored. */
  readonly publish: (store: (decidedAtMs: number) => Promise<void>) => Promise<void>;
  /** Told of the decisions of a window once they are stored. Never rejects. */
  readonly announce: (job: string, window: Window, decisions: readonly PlacedDecision[]) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: SamplerMetrics;
  /** Of the job of that name before its options changed. */
  readonly progressBefore?: JobProgress | undefined;
}

/** What a run has done. */
export interface RunReport {
  readonly job: string;
  readonly windows: readonly WindowReport[];
  /** Why the rest was left for the next run. */
  readonly errors: readonly string[];
}

export interface WindowReport extends WindowRecord {
  readonly byPolicy: Readonly<Record<string, number>>;
}

/** A window that cannot be decided about does not keep the others from it, but an archive that is away is not asked 300 times. */
const MAX_FAILURES_PER_RUN = 3;
/** From so many on, it is worth asking which of them have exemplars at all. */
const MANY_WINDOWS = 4;

/** The databases and tables of one run. */
interface Run {
  readonly archive: SamplingDatabase;
  readonly book: WindowBook;
  readonly decisions: DecisionTable;
  readonly source: CandidateSource;
  readonly spans: SpanStore | undefined;
  readonly signal: AbortSignal;
}

export class SamplingJob {
  readonly #parts: JobParts;
  readonly progress: JobProgress;
  readonly #announcing = new Set<Promise<void>>();
  readonly #failures: FailureLog;
  /** A dry run notes nothing down; windows that end by then it has looked at. */
  #dryUntilMs = 0;

  constructor(parts: JobParts) {
    this.#parts = parts;
    this.progress = new JobProgress(parts.options, parts.clock, parts.progressBefore);
    this.#failures = new FailureLog({
      log: parts.log,
      clock: parts.clock,
      fields: { job: parts.options.jobName },
      failed: 'sampling failed; it is tried again',
      recovered: 'sampling works again',
    });
    parts.metrics.add(parts.options.jobName, () => this.progress.behind);
  }

  get options(): SamplingJobOptions {
    return this.#parts.options;
  }

  /** Everything that is due. Rejects only when something is wrong with the program. */
  async run(signal: AbortSignal): Promise<RunReport> {
    const { clock, metrics, options } = this.#parts;
    const startMs = clock.monotonicMs();
    const report = { job: options.jobName, windows: [] as WindowReport[], errors: [] as string[] };
    try {
      const run = await this.#open(signal);
      await this.#work(run, report);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      if (!signal.aborted) report.errors.push(this.#failed(reasonOf(error), error));
    }
    await Promise.all(this.#announcing);
    if (!signal.aborted) this.#failures.passed();
    metrics.ran(options.jobName, (clock.monotonicMs() - startMs) / 1000);
    return report;
  }

  /** What would be chosen of a window, and nothing written. @throws {DatabaseError} */
  async candidates(
    window: Window,
    signal: AbortSignal,
    policies = this.#parts.options.policies,
  ): Promise<WindowCandidates> {
    const { source, spans } = await this.#open(signal);
    return new Picker({ source, options: this.#parts.options, spans }).candidates(window, policies);
  }

  /** Starts of those windows that have exemplars. @throws {DatabaseError} */
  async busyWindows(windows: readonly Window[], signal: AbortSignal): Promise<Set<number>> {
    const [newest] = windows;
    if (newest === undefined) return new Set();
    const { source } = await this.#open(signal);
    return source.busyWindows(windows.at(-1)!.startMs, endOf(newest), newest.lengthMs);
  }

  /** @throws {DatabaseError} */
  async #open(signal: AbortSignal): Promise<Run> {
    const { archive: getArchive, prepared, clock, options } = this.#parts;
    const archive = getArchive();
    if (archive === undefined)
      throw new DatabaseError('there is no archive to sample from', { isTransient: true });
    if (!options.dryRun) await prepared.archive(archive);
    return {
      archive,
      book: new WindowBook(archive.database, clock, options.jobName),
      decisions: new DecisionTable(archive.database, clock),
      source: new CandidateSource(archive.database, options, signal),
      spans: await this.#openSpans(archive, signal),
      signal,
    };
  }

  async #openSpans(archive: SamplingDatabase, signal: AbortSignal): Promise<SpanStore | undefined> {
    const { options, log } = this.#parts;
    if (options.traces === undefined) return undefined;
    const { database, placement } = this.#parts.traces ?? archive;
    // A dry run makes no table.
    const traceOptions = options.dryRun ? { ...options.traces, copy: false } : options.traces;
    const parts = { database, placement, options: traceOptions, log };
    const tables = await findTraceTables(parts).catch(TracesError.rethrow);
    return new SpanStore({ database, tables, options: options.traces, limits: options.limits, signal });
  }

  async #work(run: Run, report: { windows: WindowReport[]; errors: string[] }): Promise<void> {
    const { clock, options } = this.#parts;
    const fromMs =
      clock.nowMs() - options.catchUpMs - options.lateWindowMs - options.windowMs - options.settleMs;
    const records = options.dryRun ? [] : await run.book.load(fromMs, run.signal);
    for (const { window, stage } of records) this.progress.reached(window, stage);
    for (const record of records) await this.#attempt(report, run, () => this.#continue(run, record));
    const undecided = await this.#undecided(run, records);
    for (const window of undecided)
      await this.#attempt(report, run, () => this.#decide(run, window, report.errors));
  }

  async #attempt(
    report: { windows: WindowReport[]; errors: string[] },
    { signal }: Run,
    work: () => Promise<WindowReport | undefined>,
  ): Promise<void> {
    if (signal.aborted || report.errors.length >= MAX_FAILURES_PER_RUN) return;
    try {
      const done = await work();
      if (done === undefined) return;
      this.progress.reached(done.window, done.stage);
      report.windows.push(done);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      if (!signal.aborted) report.errors.push(this.#failed(reasonOf(error), error));
    }
  }

  /** Settled windows that nobody has decided about, newest first. Those without exemplars are noted down at once. */
  async #undecided(run: Run, records: readonly WindowRecord[]): Promise<Window[]> {
    const { clock, options, archivedUntilMs } = this.#parts;
    const decided = new DecidedTimes(records.map(({ window }) => window));
    const settled = settledWindows(options, clock.nowMs(), archivedUntilMs());
    // A dry run only looks at what was last, and once.
    const windows = options.dryRun
      ? settled.slice(0, 1).filter((window) => endOf(window) > this.#dryUntilMs)
      : settled.filter((window) => !decided.overlaps(window));
    this.progress.looked(settled, windows);
    if (windows.length < MANY_WINDOWS) return windows;
    const busy = await run.source.busyWindows(windows.at(-1)!.startMs, endOf(windows[0]!), options.windowMs);
    const idle = windows.filter(({ startMs }) => !busy.has(startMs));
    const stage = lastStage(options);
    await run.book.save(
      idle.map((window) => ({ ...NO_FIGURES, window, stage })),
      run.signal,
    );
    for (const window of idle) this.progress.reached(window, stage);
    return windows.filter(({ startMs }) => busy.has(startMs));
  }

  async #decide(run: Run, window: Window, errors: string[]): Promise<WindowReport> {
    const { options, metrics, log } = this.#parts;
    const before = options.dryRun
      ? []
      : await run.decisions.ofWindow(options.jobName, window.startMs, run.signal);
    const candidates = await new Picker({ source: run.source, options, spans: run.spans }).candidates(window);
    // Somebody else has decided, or this process did and died: it is not decided anew with the traces there are now.
    const choice = before.length > 0 ? undefined : chooseFrom(candidates, options);
    const decisions = choice === undefined ? before : this.#decisionsOf(window, choice, candidates);
    const figures = { ...figuresOf(decisions), ...sizesOf(candidates) };
    const record = { ...NO_FIGURES, ...figures, window, stage: PICKED };
    this.#countPick(candidates, choice);
    metrics.decided(options.jobName, record);
    const byPolicy = countPolicies(decisions);
    if (options.dryRun) {
      this.#dryUntilMs = endOf(window);
      log.info(
        { job: options.jobName, window: new Date(window.startMs).toISOString(), ...figures },
        'dry run',
      );
      return { ...record, byPolicy };
    }
    const stored = await this.#store(run, decisions, choice === undefined);
    await run.book.save([record], run.signal);
    this.#announce(window, stored);
    const copied = await this.#continue(run, record).catch((error) => {
      // The decisions stand, and the next run goes on from there.
      if (!(error instanceof DatabaseError)) throw error;
      if (!run.signal.aborted) errors.push(this.#failed(reasonOf(error), error));
      return undefined;
    });
    return { ...(copied ?? record), byPolicy };
  }

  async #store(
    run: Run,
    decisions: readonly Decision[],
    isStored: boolean,
  ): Promise<readonly PlacedDecision[]> {
    // First, because what fails later would not be announced any more.
    let placed: readonly PlacedDecision[] = await run.decisions.placed(decisions, run.signal);
    if (isStored || decisions.length === 0) return placed;
    await this.#parts.publish(async (decidedAtMs) => {
      placed = placed.map((decision) => placedAt(decision, decidedAtMs));
      await run.decisions.store(placed, run.signal);
    });
    return placed;
  }

  /** The next step of a window that was decided about, if it is due. */
  async #continue(run: Run, record: WindowRecord): Promise<WindowReport | undefined> {
    const { clock, options, metrics } = this.#parts;
    const { window, stage } = record;
    const due = dueMs(window, stage, options);
    if (run.spans === undefined || due === undefined || due > clock.nowMs()) return undefined;
    const decisions = await run.decisions.ofWindow(options.jobName, window.startMs, run.signal);
    await this.#ship(decisions);
    const lookedAtMs = clock.nowMs();
    const isFirst = stage < COPIED;
    const copied = await this.#copy(run, run.spans, decisions, `${window.startMs} ${stage}`);
    const sourceSpans = isFirst
      ? await run.spans.countSource({ fromMs: window.startMs, toMs: endOf(window) })
      : record.sourceSpans;
    const appeared = decisions.filter(({ traceId, found }) => !found && copied.withSpans.has(traceId));
    const now = decisions.map((each) => (appeared.includes(each) ? { ...each, found: true } : each));
    if (appeared.length > 0) {
      const changed = appeared.map((each) => ({ ...each, found: true }));
      await run.decisions.store(changed, run.signal);
      metrics.count(options.jobName, 'traces_found', appeared.length);
    }
    const next: WindowRecord = {
      ...record,
      ...figuresOf(now),
      stage: stageAfterLook(window, options, lookedAtMs),
      spans: record.spans + copied.spans,
      lateSpans: record.lateSpans + (isFirst ? 0 : copied.spans),
      sourceSpans,
    };
    if (isFirst) metrics.keptPart(options.jobName, next.spans, sourceSpans);
    await run.book.save([next], run.signal);
    return { ...next, byPolicy: countPolicies(now) };
  }

  async #copy(run: Run, spans: SpanStore, decisions: readonly Decision[], name: string) {
    const { clock, options, metrics, log } = this.#parts;
    const job = options.jobName;
    const { database } = run.archive;
    const budget = new SpanBudget({ database, clock, job, spansPerDay: options.budget.spansPerDay });
    const copied = await copySpans(decisions, spans, budget, options.budget, name);
    metrics.count(job, 'spans_copied', copied.spans);
    if (!name.endsWith(` ${PICKED}`)) metrics.count(job, 'late_spans_copied', copied.spans);
    if (copied.isBudgetExhausted) metrics.exhausted(job, 'spans');
    if (copied.tooLarge > 0) {
      metrics.failed(job, 'trace_too_large');
      log.warn({ job, traces: copied.tooLarge }, 'traces have more spans than spans_per_trace: not copied');
    }
    return copied;
  }

  /** Where spans are elsewhere, the decisions go there, too. */
  async #ship(decisions: readonly Decision[]): Promise<void> {
    const { traces, prepared, clock } = this.#parts;
    if (traces === undefined || decisions.length === 0) return;
    await prepared.decisions(traces).catch(TracesError.rethrow);
    await new DecisionTable(traces.database, clock).store(decisions).catch(TracesError.rethrow);
  }

  #announce(window: Window, decisions: readonly PlacedDecision[]): void {
    const { announce, options } = this.#parts;
    if (decisions.length === 0) return;
    const announcing = announce(options.jobName, window, decisions).finally(() => {
      this.#announcing.delete(announcing);
    });
    this.#announcing.add(announcing);
  }

  #decisionsOf(window: Window, { picks }: Choice, { groups }: WindowCandidates): Decision[] {
    const labels = new Map(groups.map((group) => [group.id, group.labels]));
    return picks.map(({ exists, ...pick }, priority) => ({
      ...pick,
      job: this.#parts.options.jobName,
      windowStartMs: window.startMs,
      windowMs: window.lengthMs,
      groupLabels: labels.get(pick.groupIds[0]!) ?? {},
      found: exists,
      priority,
      note: '',
      decidedAtMs: 0,
    }));
  }

  #countPick({ checked, existing, isCut }: WindowCandidates, choice: Choice | undefined): void {
    const { metrics, options, log } = this.#parts;
    const job = options.jobName;
    metrics.count(job, 'candidates_checked', checked);
    metrics.count(job, 'candidates_missing', existing === undefined ? 0 : checked - existing.size);
    for (const budget of choice?.exhausted ?? []) metrics.exhausted(job, budget);
    if (!isCut) return;
    metrics.failed(job, 'too_many_groups');
    log.warn(
      { job, max_groups: options.limits.groups },
      'more groups than max_groups: some are not looked at',
    );
  }

  /** @returns what is wrong, for people */
  #failed(reason: FailureReason, error: Error): string {
    this.#parts.metrics.failed(this.#parts.options.jobName, reason);
    this.#failures.failed(error.message);
    return error.message;
  }
}

/** For whoever asks over HTTP or at the command line. Times in seconds since 1970. */
export function reportJson({ job, windows, errors }: RunReport) {
  return {
    job,
    windows: windows.map(({ window, stage: _, ...figures }) => ({
      start: window.startMs / 1000,
      end: endOf(window) / 1000,
      ...figures,
    })),
    errors,
  };
}

function sizesOf({ groups }: WindowCandidates) {
  return { exemplars: groups.reduce((sum, { exemplars }) => sum + exemplars, 0), groups: groups.length };
}

function figuresOf(decisions: readonly Decision[]) {
  const found = decisions.filter((decision) => decision.found);
  return {
    chosen: decisions.length,
    found: found.length,
    missing: decisions.length - found.length,
    covered: new Set(found.flatMap(({ groupIds }) => groupIds)).size,
  };
}

/** Traces by the first of their reasons. */
function countPolicies(decisions: readonly Decision[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reasons } of decisions) {
    const [reason = ''] = reasons;
    counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}

function reasonOf(error: DatabaseError): FailureReason {
  return error instanceof TracesError ? 'traces' : 'archive';
}

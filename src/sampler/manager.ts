import { isDeepStrictEqual } from 'node:util';
import { type Database, rowsOf } from '../clickhouse/database.js';
import type { ServerOptions } from '../clickhouse/options.js';
import type { Clock } from '../util/clock.js';
import type { Log } from '../util/log.js';
import { answerWithin } from './answer-within.js';
import { Comparison, type PolicyFigures } from './comparison.js';
import { type Coverage, coverageOf } from './coverage.js';
import { CronSchedule } from './cron-schedule.js';
import { DecisionFeed } from './decision-feed.js';
import { DecisionTable, type PlacedDecision, placedAt } from './decisions.js';
import { FailureLog } from './failure-log.js';
import { type RunReport, SamplingJob } from './job.js';
import type { FailureReason, SamplerMetrics } from './metrics.js';
import { PINNED_JOB, type SamplingJobOptions, type TraceTableOptions } from './options.js';
import { PinCopier, pinDecision, pinnableId } from './pins.js';
import { PreparedDatabases, type SamplingDatabase } from './prepared.js';
import type { JobProgress } from './progress.js';
import { Webhook } from './webhook.js';
import { settledWindows } from './window.js';

export interface SamplerParts {
  /** The archive's; undefined while there is none. */
  readonly archive: () => SamplingDatabase | undefined;
  /** A connection to servers that only have the spans. Closed by whoever opened it: the manager. */
  readonly openServer: (server: ServerOptions) => Database;
  /** Up to when the archive has every exemplar that was accepted, in milliseconds since 1970; not given: up to now. */
  readonly archivedUntilMs?: () => number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: SamplerMetrics;
  readonly userAgent: string;
}

interface Running {
  readonly options: SamplingJobOptions;
  readonly job: SamplingJob;
  readonly schedule: CronSchedule;
  readonly webhook: Webhook | undefined;
  readonly traces: Database | undefined;
  readonly stop: AbortController;
  lastReport: RunReport | undefined;
}

/** Traces that were pinned are looked for as often. */
const PIN_SCHEDULE = '* * * * *';

/** What is asked for over HTTP is refused when the archive has not answered for so long. */
const ANSWER_MS = 10_000;

/** The sampler has no archive at the moment. */
export class SamplerUnavailable extends Error {}
/** There is no job of that name. */
export class UnknownJob extends Error {}

/** All jobs, the traces that were pinned, and what others ask about decisions. */
export class SamplerManager {
  readonly #parts: SamplerParts;
  readonly #prepared: PreparedDatabases;
  readonly #running = new Map<string, Running>();
  /** Of jobs whose options change: how far they are behind does not begin anew. */
  readonly #progress = new Map<string, JobProgress>();
  /** By the tables that pinned traces are copied between. */
  readonly #pinFailures = new Map<string, FailureLog>();
  readonly #stop = new AbortController();
  readonly #pinSchedule: CronSchedule;
  /** Decisions as they are made. */
  readonly feed: DecisionFeed;
  /** Changes are applied one after the other. */
  #applying: Promise<void> = Promise.resolve();
  /** Decisions are stored one after the other, so that their times are in the order in which they can be read. */
  #publishing: Promise<void> = Promise.resolve();
  #lastPublishedMs = 0;
  #isStarted = false;
  #isPreviewing = false;

  constructor(parts: SamplerParts) {
    const { clock, log } = parts;
    this.#parts = parts;
    this.#prepared = new PreparedDatabases(log);
    this.feed = new DecisionFeed({ read: (cursor, options) => this.decisions(cursor, options), clock });
    this.#pinSchedule = new CronSchedule(PIN_SCHEDULE, 0, () => this.#copyPins(), log);
  }

  get jobs(): readonly SamplingJobOptions[] {
    return [...this.#running.values()].map(({ options }) => options);
  }

  /** Schedules run from now on. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    for (const { schedule } of this.#running.values()) schedule.start();
    this.#pinSchedule.start();
  }

  /** Makes the running jobs those given. One whose options did not change goes on untouched; one that is gone ends its statement. */
  apply(jobs: readonly SamplingJobOptions[]): Promise<void> {
    this.#applying = this.#applying.then(() => this.#replace(jobs));
    return this.#applying;
  }

  /** Statements under way are given up: what they were to do is done after the next start. Readers of decisions are sent away. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped'));
    this.feed.close();
    await this.apply([]);
    await this.#pinSchedule.stop();
  }

  /**
   * Runs what is due now, of one job or of all; one that is running already is waited for instead.
   * @throws {UnknownJob}
   */
  async runOnce(jobName?: string): Promise<RunReport[]> {
    const chosen = this.#chosen(jobName);
    await Promise.all(chosen.map(({ schedule }) => schedule.startNow()));
    await this.#pinSchedule.startNow();
    return chosen.flatMap(({ lastReport }) => (lastReport === undefined ? [] : [lastReport]));
  }

  /**
   * What the policies of jobs would keep of the windows of the last `sinceMs`; nothing is written.
   * @throws {UnknownJob | SamplerUnavailable | DatabaseError} also while another preview is made
   */
  async preview(
    sinceMs: number,
    { jobName, compare }: { readonly jobName?: string | undefined; readonly compare: boolean },
  ): Promise<{ job: string; figures: readonly PolicyFigures[] }[]> {
    if (this.#isPreviewing) throw new SamplerUnavailable('another preview is being made');
    this.#isPreviewing = true;
    try {
      await this.#reachable();
      return await this.#compare(sinceMs, jobName, compare);
    } finally {
      this.#isPreviewing = false;
    }
  }

  async #compare(sinceMs: number, jobName: string | undefined, compare: boolean) {
    const results: { job: string; figures: readonly PolicyFigures[] }[] = [];
    for (const { job, options, stop } of this.#chosen(jobName)) {
      const comparison = new Comparison(options, compare);
      const nowMs = this.#parts.clock.nowMs();
      const windows = settledWindows({ ...options, catchUpMs: sinceMs }, nowMs, this.#archivedUntilMs());
      const busy = await job.busyWindows(windows, stop.signal);
      for (const window of windows.filter(({ startMs }) => busy.has(startMs)))
        comparison.add(await job.candidates(window, stop.signal));
      results.push({ job: options.jobName, figures: comparison.figures });
    }
    return results;
  }

  /**
   * Decides that a trace is kept, and copies its spans with the next look for pinned ones.
   * @returns the id as spans have it; undefined where the text is no id
   * @throws {SamplerUnavailable | DatabaseError}
   */
  async pin(text: string, note: string): Promise<string | undefined> {
    const traceId = pinnableId(text);
    if (traceId === undefined) return undefined;
    const { clock } = this.#parts;
    const archive = await this.#archive();
    const stored = await answerWithin(clock, ANSWER_MS, async (signal) => {
      const table = new DecisionTable(archive.database, clock);
      const [decision] = await table.placed(
        [await pinDecision(archive, traceId, note, clock.nowMs(), signal)],
        signal,
      );
      let published = decision!;
      await this.#publish(async (decidedAtMs) => {
        published = placedAt(decision!, decidedAtMs);
        await table.store([published], signal);
      });
      return published;
    });
    const window = { startMs: stored.windowStartMs, lengthMs: stored.windowMs };
    const webhooks = [...this.#running.values()].flatMap(({ webhook }) => webhook ?? []);
    for (const webhook of webhooks) void webhook.tell(PINNED_JOB, window, [stored]);
    return traceId;
  }

  /** @throws {UnknownJob | SamplerUnavailable | DatabaseError} */
  async coverage(sinceMs: number, jobName?: string): Promise<Coverage[]> {
    const archive = await this.#archive();
    const chosen = this.#chosen(jobName);
    const all: Coverage[] = [];
    for (const { options, stop } of chosen)
      all.push(await coverageOf(archive, options, sinceMs, this.#parts.clock, stop.signal));
    return all;
  }

  /** Decisions after a cursor, the earliest first. @throws {SamplerUnavailable | DatabaseError} */
  async decisions(...[cursor, options]: Parameters<DecisionTable['since']>): Promise<PlacedDecision[]> {
    const { clock } = this.#parts;
    const { database } = await this.#archive();
    return answerWithin(clock, ANSWER_MS, (late) => {
      const signal = options.signal === undefined ? late : AbortSignal.any([late, options.signal]);
      return new DecisionTable(database, clock).since(cursor, { ...options, signal });
    });
  }

  async #replace(jobs: readonly SamplingJobOptions[]): Promise<void> {
    const wanted = new Map(jobs.map((options) => [options.jobName, options]));
    await Promise.all(
      [...this.#running.values()].map((running) => {
        const { options } = running;
        return isDeepStrictEqual(options, wanted.get(options.jobName))
          ? undefined
          : this.#end(running, !wanted.has(options.jobName));
      }),
    );
    for (const options of jobs) if (!this.#running.has(options.jobName)) this.#begin(options);
  }

  #begin(options: SamplingJobOptions): void {
    const { archive, clock, log, metrics, userAgent, openServer } = this.#parts;
    const { jobName, webhook: webhookOptions, traces: traceOptions } = options;
    const server = traceOptions?.server;
    const traces = server === undefined ? undefined : openServer(server);
    const stop = new AbortController();
    const webhook =
      webhookOptions === undefined
        ? undefined
        : new Webhook({
            options: webhookOptions,
            clock,
            log,
            userAgent,
            onFailure: () => metrics.failed(jobName, 'webhook'),
          });
    const job = new SamplingJob({
      options,
      archive,
      traces: tracesDatabase(options, traces),
      prepared: this.#prepared,
      archivedUntilMs: () => this.#archivedUntilMs(),
      publish: (store) => this.#publish(store),
      announce: async (name, window, decisions) => webhook?.tell(name, window, decisions),
      clock,
      log,
      metrics,
      progressBefore: this.#progress.get(jobName),
    });
    const run = async () => {
      try {
        running.lastReport = await job.run(stop.signal);
      } catch (error) {
        const errors = [`a fault of the program: ${(error as Error).message}`];
        running.lastReport = { job: jobName, windows: [], errors };
        log.error({ job: jobName, error: (error as Error).stack }, 'sampling: a fault of the program');
      }
    };
    const schedule = new CronSchedule(options.schedule, options.jitterMs, run, log);
    const running: Running = { options, job, schedule, webhook, traces, stop, lastReport: undefined };
    this.#running.set(jobName, running);
    if (this.#isStarted) schedule.start();
  }

  async #end({ options, job, schedule, stop, webhook, traces }: Running, isGone: boolean): Promise<void> {
    stop.abort(new Error('stopped'));
    await webhook?.close();
    await schedule.stop();
    await traces?.close();
    this.#running.delete(options.jobName);
    if (isGone) {
      this.#progress.delete(options.jobName);
      this.#parts.metrics.forget(options.jobName);
    } else this.#progress.set(options.jobName, job.progress);
  }

  /** Times of decisions only rise, so that whoever reads up to one has seen all before it. */
  #publish(store: (decidedAtMs: number) => Promise<void>): Promise<void> {
    const published = this.#publishing.then(async () => {
      this.#lastPublishedMs = Math.max(this.#lastPublishedMs + 1, this.#parts.clock.nowMs());
      await store(this.#lastPublishedMs);
      this.feed.wake();
    });
    this.#publishing = published.catch(() => {});
    return published;
  }

  /** Each pair of tables once, whoever copies between them. */
  async #copyPins(): Promise<void> {
    const { archive, clock, log, metrics } = this.#parts;
    const pairs = new Map<string, [Running, ...Running[]]>();
    for (const running of this.#running.values()) {
      const { traces, dryRun } = running.options;
      if (traces === undefined || !traces.copy || dryRun) continue;
      const pair = pairs.get(tablesName(traces));
      if (pair === undefined) pairs.set(tablesName(traces), [running]);
      else pair.push(running);
    }
    for (const name of this.#pinFailures.keys()) if (!pairs.has(name)) this.#pinFailures.delete(name);
    const reasons: (FailureReason | undefined)[] = [];
    for (const [name, sharing] of pairs) {
      const [{ options, traces }] = sharing;
      const failures = this.#pinFailures.get(name) ?? this.#pinFailureLog(name, sharing);
      this.#pinFailures.set(name, failures);
      const databases = { archive, traces: tracesDatabase(options, traces), prepared: this.#prepared };
      const tables = options.traces!;
      const copier = new PinCopier({ ...databases, tables, options, failures, clock, log, metrics });
      const reason = await copier.run(this.#stop.signal).catch((error: Error) => {
        log.error({ error: error.stack }, 'pinned traces: a fault of the program');
        return undefined;
      });
      reasons.push(reason);
    }
    // Where some tables have got the spans, the pins are kept; the jobs of the others count what is wrong there.
    if (reasons.every((reason) => reason !== undefined))
      for (const reason of new Set(reasons)) metrics.failed(PINNED_JOB, reason);
  }

  #pinFailureLog(tables: string, sharing: readonly Running[]): FailureLog {
    const { log, clock } = this.#parts;
    const jobs = sharing.map(({ options }) => options.jobName).join(', ');
    return new FailureLog({
      log,
      clock,
      fields: { tables, jobs },
      failed: 'pinned traces were not copied between these tables; it is tried again',
      recovered: 'pinned traces are copied between these tables again',
    });
  }

  /** With its tables. @throws {SamplerUnavailable | DatabaseError} also where it does not answer in time */
  async #archive(): Promise<SamplingDatabase> {
    const archive = await this.#reachable();
    await answerWithin(this.#parts.clock, ANSWER_MS, () => this.#prepared.archive(archive));
    return archive;
  }

  /** Statements over days may take their time, but not to find out that nobody is there. */
  async #reachable(): Promise<SamplingDatabase> {
    const archive = this.#parts.archive();
    if (archive === undefined) throw new SamplerUnavailable('there is no archive');
    await answerWithin(this.#parts.clock, ANSWER_MS, (signal) =>
      rowsOf(archive.database, 'SELECT 1', { signal }),
    );
    return archive;
  }

  #archivedUntilMs(): number {
    return this.#parts.archivedUntilMs?.() ?? Number.POSITIVE_INFINITY;
  }

  /** @throws {UnknownJob} */
  #chosen(jobName: string | undefined): Running[] {
    if (jobName === undefined) return [...this.#running.values()];
    const running = this.#running.get(jobName);
    if (running === undefined) throw new UnknownJob(`there is no sampling job ${JSON.stringify(jobName)}`);
    return [running];
  }
}

/** For people, and unlike that of other tables. */
function tablesName({ server, source, kept }: TraceTableOptions): string {
  const where = server === undefined ? '' : ` in ${server.database} at ${server.urls.join(', ')}`;
  return `${source} → ${kept}${where}`;
}

function tracesDatabase(
  { traces }: SamplingJobOptions,
  database: Database | undefined,
): SamplingDatabase | undefined {
  if (traces?.server === undefined || database === undefined) return undefined;
  const { createSchema, server } = traces;
  return { database, placement: { cluster: server.cluster }, createSchema };
}

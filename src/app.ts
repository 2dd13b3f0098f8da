import { isDeepStrictEqual } from 'node:util';
import { ArchiveManager } from './archive/manager.js';
import { hasEmbeddedArchive } from './archive/open-database.js';
import { ServerDatabase } from './clickhouse/server/server-database.js';
import { ChangeWatch } from './config/change-watch.js';
import type { Config } from './config/schema.js';
import { createDiscovery } from './discovery/discovery.js';
import { DiscoveryMetrics } from './discovery/metrics.js';
import { Durability, markForwarded } from './durability.js';
import { ForwardManager } from './forward/manager.js';
import { RemoteWriteMetrics } from './forward/metrics.js';
import { Listeners, type WebOptions } from './http/listeners.js';
import type { PageStatus } from './http/page.js';
import type { QueryLimits } from './http/query-limits.js';
import type { RouteParts } from './http/routes.js';
import type { RuntimeStatus } from './http/status.js';
import type { ActiveTarget, ScrapePoolSummary } from './http/targets.js';
import { MemoryLog } from './journal/memory-log.js';
import { addJournalMetrics } from './journal/metrics.js';
import type { Batch, BatchLog } from './model/batch.js';
import { TRACE_ID_LABELS } from './model/exemplar.js';
import { labelValue } from './model/labels.js';
import { LiveExemplars } from './query/live-exemplars.js';
import { SamplerManager } from './sampler/manager.js';
import { SamplerMetrics } from './sampler/metrics.js';
import type { SamplingDatabase } from './sampler/prepared.js';
import { BodyBufferPool } from './scrape/body-buffer.js';
import { CheckUps } from './scrape/check-ups.js';
import { createConnector } from './scrape/connector.js';
import { ScrapeManager } from './scrape/manager.js';
import { ScrapeMetrics, type TargetFigures } from './scrape/metrics.js';
import { ExemplarStore } from './store/exemplar-store.js';
import { Intake } from './store/intake.js';
import { addStoreMetrics } from './store/metrics.js';
import { addRetentionMetrics } from './store/retention-metrics.js';
import { EventLoopLag } from './telemetry/event-loop-lag.js';
import { addBuildInfo, addProcessMetrics, addReadGauge, createRegistry } from './telemetry/registry.js';
import { UpstreamMetrics } from './upstream/metrics.js';
import type { UpstreamOptions } from './upstream/options.js';
import { Upstream } from './upstream/upstream.js';
import type { Clock } from './util/clock.js';
import { Once } from './util/lifecycle.js';
import type { Log } from './util/log.js';
import { USER_AGENT, VERSION } from './version.js';

/** Accepted rows that wait for remote writes; more than an hour of a thousand exemplars a second. */
const MAX_BATCH_LOG_BYTES = 256 * 1024 * 1024;
/** A minute, over which the lag of the event loop is reported. */
const MAINTENANCE_INTERVAL_MS = 60_000;

/** How long a remote write that a reload removed or changed may go on sending what it has in hand. */
const RELOAD_FLUSH_MS = 2_000;

export interface AppParts {
  readonly config: Config;
  /** Where journal and snapshots are; undefined: memory only. */
  readonly storagePath: string | undefined;
  readonly web: WebOptions;
  readonly queryLimits: QueryLimits;
  /** Which other origins may read the API; undefined: all. */
  readonly isAllowedOrigin: ((origin: string) => boolean) | undefined;
  readonly enableLifecycle: boolean;
  /** The flags as `/api/v1/status/flags` shows them. */
  readonly flags: Readonly<Record<string, string>>;
  /** The configuration file, if a change of it is reason enough to read it again. What it includes always is. */
  readonly watchedFile?: string;
  /** Reads the configuration again. Throws what is wrong with it. */
  readonly loadConfig: () => Config;
  /** Someone asked over HTTP for the process to end. */
  readonly onQuit: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

export type Readiness = 'starting' | 'ready' | 'stopping';

/** The composition root: builds the parts, joins them by functions, starts them in order and stops them in reverse. */
export class App {
  readonly #parts: AppParts;
  readonly #store: ExemplarStore;
  readonly #intake: Intake;
  readonly #durability: Durability | undefined;
  readonly #batches: BatchLog;
  readonly #forwarding: ForwardManager;
  readonly #archiving: ArchiveManager;
  readonly #sampling: SamplerManager;
  readonly #scraping: ScrapeManager;
  readonly #registry = createRegistry();
  readonly #starting = new Once<void>();
  readonly #stopping = new Once<void>();
  readonly #listeners: Listeners;
  readonly #live: LiveExemplars;
  readonly #upstreamMetrics: UpstreamMetrics;
  #upstream: Upstream | undefined;
  /** Whether anybody reads the log of batches. */
  #isLogRead = false;
  #config: Config;
  #runtime: RuntimeStatus;
  #readiness: Readiness = 'starting';
  #cancelMaintenance = () => {};
  readonly #changes: ChangeWatch;
  readonly #lag: EventLoopLag;

  constructor(parts: AppParts) {
    const { clock, log, config } = parts;
    this.#parts = parts;
    this.#config = config;
    this.#runtime = { startMs: clock.nowMs(), configLoadedMs: clock.nowMs(), isReloadGood: true };
    this.#store = new ExemplarStore(config.store);
    this.#intake = new Intake(this.#store);
    this.#durability = this.#createDurability();
    this.#batches = this.#durability?.journal ?? this.#createMemoryLog();
    const shared = { clock, log, userAgent: USER_AGENT };
    this.#forwarding = new ForwardManager({
      ...shared,
      batches: this.#batches,
      metrics: new RemoteWriteMetrics(this.#registry),
    });
    this.#archiving = new ArchiveManager({
      batches: this.#batches,
      storagePath: parts.storagePath,
      registry: this.#registry,
      clock,
      log,
    });
    this.#sampling = new SamplerManager({
      archive: () => this.#samplingDatabase(),
      openServer: (options) => new ServerDatabase({ options, clock, log }),
      archivedUntilMs: () => this.#archiving.archive?.archivedUntilMs ?? 0,
      clock,
      log,
      metrics: new SamplerMetrics(this.#registry),
      userAgent: USER_AGENT,
    });
    const discoveryMetrics = new DiscoveryMetrics(this.#registry);
    this.#scraping = new ScrapeManager({
      ...shared,
      discover: (options, jobName) =>
        createDiscovery(options, { ...shared, jobName, metrics: discoveryMetrics }),
      forgetDiscovery: (jobName) => discoveryMetrics.forgetJob(jobName),
      sink: this.#intake,
      buffers: new BodyBufferPool(),
      checkUps: new CheckUps(clock),
      connect: createConnector(),
      metrics: new ScrapeMetrics(this.#registry, () => this.#targetFigures()),
    });
    this.#changes = new ChangeWatch({
      patterns: () => [
        ...(parts.watchedFile === undefined ? [] : [parts.watchedFile]),
        ...this.#config.includedFiles,
      ],
      onChange: () => this.#reloadChanged(),
      clock,
    });
    this.#live = new LiveExemplars(clock);
    this.#live.onWatched = () => this.#applyReaders();
    this.#upstreamMetrics = new UpstreamMetrics(this.#registry);
    this.#listeners = new Listeners({ options: parts.web, routes: this.#routeParts(), clock, log });
    addProcessMetrics(this.#registry);
    this.#lag = new EventLoopLag(this.#registry);
    this.#addReloadMetrics();
    addBuildInfo(this.#registry, VERSION);
    addStoreMetrics(this.#registry, this.#store);
    addRetentionMetrics(this.#registry, this.#store, clock, () => this.#config.retentionTargetMs);
    if (this.#durability !== undefined) addJournalMetrics(this.#registry, this.#durability);
  }

  /** Where the server listens, once started. */
  get addresses(): readonly string[] {
    return this.#listeners.addresses;
  }

  start(): Promise<void> {
    return this.#starting.run(async () => {
      this.#applyUpstream(this.#config.upstream);
      await this.#listeners.start();
      // Whoever reads confirms: what rings give up before, is counted.
      this.#store.isForwarding = true;
      await this.#durability?.open();
      this.#forgetWhatIsUnknown();
      // Readers first: what is scraped before there is one, it would not get.
      await this.#forwarding.apply(this.#config.remoteWrites, 0);
      await this.#archiving.apply(this.#config.archive, traceIdLabelsOf(this.#config), 0);
      await this.#sampling.apply(this.#config.sampling);
      this.#applyOptions(this.#config);
      await this.#scraping.apply(this.#config.scrapeJobs);
      this.#sampling.start();
      this.#maintain();
      await this.#changes.start();
      this.#readiness = 'ready';
      this.#parts.log.info({ listening: this.addresses.join(', '), version: VERSION }, 'exemplard is ready');
    });
  }

  /** Remote writes may send what they hold, and clients read their answers, until the deadline. */
  stop(deadlineMs: number): Promise<void> {
    return this.#stopping.run(async () => {
      const deadlineAtMs = this.#parts.clock.monotonicMs() + deadlineMs;
      this.#readiness = 'stopping';
      this.#cancelMaintenance();
      this.#changes.stop();
      await this.#scraping.stop();
      await this.#sampling.stop();
      await Promise.all([this.#forwarding.stop(deadlineMs), this.#archiving.stop(deadlineMs)]);
      await this.#batches.close();
      await this.#durability?.close();
      await this.#listeners.stop(deadlineAtMs);
      await this.#upstream?.close();
      this.#parts.log.info({}, 'exemplard has stopped');
    });
  }

  /**
   * Takes over the configuration as it is now; what did not change goes on untouched.
   * @throws what is wrong with it, and then nothing has changed
   */
  async reload(): Promise<void> {
    try {
      await this.#takeOver();
      this.#runtime = { ...this.#runtime, isReloadGood: true, configLoadedMs: this.#parts.clock.nowMs() };
    } catch (error) {
      this.#runtime = { ...this.#runtime, isReloadGood: false };
      throw error;
    }
    this.#parts.log.info({ jobs: this.#config.scrapeJobs.length }, 'configuration reloaded');
  }

  async #takeOver(): Promise<void> {
    this.#refuseWhenStopping();
    const config = this.#parts.loadConfig();
    this.#listeners.reload();
    await this.#scraping.apply(config.scrapeJobs);
    this.#refuseWhenStopping();
    await this.#forwarding.apply(config.remoteWrites, RELOAD_FLUSH_MS);
    await this.#archiving.apply(config.archive, traceIdLabelsOf(config), RELOAD_FLUSH_MS);
    await this.#sampling.apply(config.sampling);
    this.#applyUpstream(config.upstream);
    this.#applyOptions(config);
    this.#config = config;
  }

  /** What a process before this one had accepted, and rings do not have again, an archive may. */
  #forgetWhatIsUnknown(): void {
    const { storagePath } = this.#parts;
    const isNew = storagePath !== undefined && this.#durability?.isNew && !hasEmbeddedArchive(storagePath);
    if (isNew || this.#durability?.isComplete) return;
    this.#store.noteForgotten(this.#parts.clock.nowMs() + this.#config.store.maxFutureMs);
  }

  #addReloadMetrics(): void {
    const add = (name: string, help: string, read: () => number) =>
      addReadGauge(this.#registry, `exemplard_config_last_reload_${name}`, help, read);
    add('successful', 'Whether the last attempt to load the configuration went well: 1, else 0.', () =>
      Number(this.#runtime.isReloadGood),
    );
    add(
      'success_timestamp_seconds',
      'When the running configuration was loaded.',
      () => this.#runtime.configLoadedMs / 1000,
    );
  }

  #reloadChanged(): void {
    const { log } = this.#parts;
    log.info({}, 'files of the configuration have changed');
    this.reload().catch((error: Error) => {
      log.error({ error: error.message }, 'the configuration was not reloaded; the old one stays');
    });
  }

  #refuseWhenStopping(): void {
    if (this.#readiness === 'stopping') throw new Error('exemplard is stopping');
  }

  #applyOptions(config: Config): void {
    const isForwarding = config.remoteWrites.length > 0 || this.#archiving.archive !== undefined;
    this.#store.isForwarding = isForwarding;
    this.#isLogRead = isForwarding || this.#batches.isDurable;
    this.#applyReaders();
    this.#store.setOptions(config.store, this.#parts.clock.nowMs());
    this.#durability?.setOptions(config.journal);
    if (!this.#batches.isDurable) this.#warnOfMissingStoragePath(config);
    if (config.sampling.length > 0 && this.#archiving.archive === undefined)
      this.#parts.log.warn(
        {},
        'sampling has no effect without an archive, which is what traces are chosen from',
      );
  }

  /** Where nobody reads batches, none are made. */
  #applyReaders(): void {
    const isRead = this.#isLogRead || this.#live.isWatched;
    this.#intake.publish = isRead ? (batch) => this.#publish(batch) : undefined;
  }

  #publish(batch: Batch): void {
    if (this.#isLogRead) this.#batches.append(batch);
    if (this.#live.isWatched) this.#live.offer(batch);
  }

  #applyUpstream(options: UpstreamOptions | undefined): void {
    if (isDeepStrictEqual(options, this.#upstream?.options)) return;
    this.#upstream?.retire();
    this.#upstream =
      options &&
      new Upstream(options, {
        clock: this.#parts.clock,
        userAgent: USER_AGENT,
        metrics: this.#upstreamMetrics,
        publicPrefix: this.#parts.web.publicPrefix,
        keepsAuthorization: () => this.#listeners.hasUsers,
      });
  }

  #warnOfMissingStoragePath(config: Config): void {
    const { log } = this.#parts;
    const consequence =
      'has no effect without --storage.path: what waits is in memory, and a restart forgets it';
    if (config.isJournalGiven) log.warn({}, `journal ${consequence}`);
    for (const { name, queue } of config.remoteWrites) {
      if (queue.replay) log.warn({ remote_name: name }, `queue_config.replay ${consequence}`);
    }
  }

  #routeParts(): RouteParts {
    const { clock, log, enableLifecycle, flags, onQuit, queryLimits, isAllowedOrigin } = this.#parts;
    return {
      store: this.#store,
      archive: () => this.#archiving.archive,
      traceIdLabels: () => traceIdLabelsOf(this.#config),
      sampling: this.#sampling,
      registry: this.#registry,
      live: this.#live,
      clock,
      log,
      queryLimits,
      isAllowedOrigin,
      enableLifecycle,
      flags,
      version: VERSION,
      readiness: () => this.#readiness,
      impairment: () => this.#impairment(),
      reload: () => this.reload(),
      quit: onQuit,
      upstream: () => this.#upstream,
      externalLabels: () =>
        this.#config.upstream?.addExternalLabels ? this.#config.externalLabels : undefined,
      retentionTargetMs: () => this.#config.retentionTargetMs,
      configText: () => this.#config.text,
      runtime: () => this.#runtime,
      pageStatus: () => this.#pageStatus(),
      activeTargets: () => this.#activeTargets(),
      scrapePools: () => this.#scrapePools(),
    };
  }

  #pageStatus(): PageStatus {
    const { upstream, traceLinks, archive, sampling, retentionTargetMs, store } = this.#config;
    return {
      version: VERSION,
      traceLinks,
      traceIdLabels: traceIdLabelsOf(this.#config),
      hasUpstream: upstream !== undefined,
      archive: this.#archiving.archive === undefined ? 'none' : (archive.type ?? 'chdb'),
      isLifecycleEnabled: this.#parts.enableLifecycle,
      isSampling: sampling.length > 0,
      retentionTargetSeconds: retentionTargetMs === undefined ? null : retentionTargetMs / 1000,
      perSeries: store.perSeries,
      maxExemplars: this.#parts.queryLimits.maxExemplars,
    };
  }

  /** What does not work although the process does. */
  #impairment(): string | undefined {
    const since = (timeMs: number) => new Date(timeMs).toISOString();
    const failure = this.#durability?.journal.failure;
    if (failure !== undefined)
      return `The journal cannot be written since ${since(failure.sinceMs)}: ${failure.error}`;
    const failingSinceMs = this.#archiving.archive?.status.failingSinceMs;
    if (failingSinceMs === undefined) return undefined;
    return `The archive takes nothing since ${since(failingSinceMs)}; exemplars wait for it.`;
  }

  #samplingDatabase(): SamplingDatabase | undefined {
    const { database } = this.#archiving;
    const { server, createSchema } = this.#config.archive;
    return database && { database, placement: { cluster: server?.cluster }, createSchema };
  }

  #maintain(): void {
    this.#cancelMaintenance = this.#parts.clock.after(MAINTENANCE_INTERVAL_MS, () => {
      this.#store.forgetIdle(this.#parts.clock.nowMs());
      this.#lag.endMinute();
      this.#maintain();
    });
  }

  #createDurability(): Durability | undefined {
    const { storagePath: path, config, clock, log } = this.#parts;
    if (path === undefined) return undefined;
    return new Durability({ path, options: config.journal, store: this.#store, clock, log });
  }

  #createMemoryLog(): MemoryLog {
    return new MemoryLog({
      maxBytes: MAX_BATCH_LOG_BYTES,
      onDelivered: (batch) => markForwarded(this.#store, batch),
    });
  }

  *#targetFigures(): Generator<TargetFigures> {
    for (const { job, loop } of this.#scraping.targets()) {
      const instance = labelValue(loop.target.labels, 'instance');
      yield { job: job.jobName, instance, status: loop.status };
    }
  }

  *#activeTargets(): Generator<ActiveTarget> {
    for (const { job, loop } of this.#scraping.targets()) {
      const { target, status } = loop;
      yield {
        ...status,
        discoveredLabels: target.discoveredLabels,
        labels: target.labels,
        scrapePool: job.jobName,
        scrapeUrl: target.shownUrl,
        scrapeInterval: target.intervalText,
        scrapeTimeout: target.timeoutText,
        exemplarFindings: loop.findings,
      };
    }
  }
  *#scrapePools(): Generator<ScrapePoolSummary> {
    for (const { job, dropped, droppedCount } of this.#scraping.pools)
      yield { name: job.jobName, dropped, droppedCount };
  }
}

/** Of all jobs: exemplars in the archive are of any of them. */
function traceIdLabelsOf({ scrapeJobs }: Config): readonly string[] {
  return [...new Set([...scrapeJobs.flatMap((job) => job.traceIdLabels), ...TRACE_ID_LABELS])];
}

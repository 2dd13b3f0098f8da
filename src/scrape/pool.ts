import { isDeepStrictEqual } from 'node:util';
import type { buildConnector } from 'undici';
import type { Discovery } from '../discovery/discovery.js';
import type { DiscoveryOptions } from '../discovery/options.js';
import type { Labels } from '../model/labels.js';
import { type CompiledRules, compileRules } from '../model/relabel.js';
import type { TargetGroup } from '../model/target-group.js';
import type { Clock } from '../util/clock.js';
import type { Log } from '../util/log.js';
import { doInSlices } from '../util/time-slices.js';
import type { BodyBufferPool } from './body-buffer.js';
import { type BodyRules, bodyRulesOf, haveSameBodyRules } from './body-rules.js';
import type { CheckUps } from './check-ups.js';
import { ScrapeClient } from './client.js';
import type { ExemplarSink } from './exemplar-sink.js';
import { TargetLoop } from './loop.js';
import type { ScrapeMetrics } from './metrics.js';
import type { ScrapeJobOptions } from './options.js';
import { type KnownGroups, type Target, type TargetSet, targetsOf } from './target.js';

/** What all jobs share. */
export interface ScrapeParts {
  readonly sink: ExemplarSink;
  readonly buffers: BodyBufferPool;
  readonly checkUps: CheckUps;
  readonly connect: buildConnector.connector;
  readonly discover: (options: DiscoveryOptions, jobName: string) => Discovery;
  /** Its job is gone. */
  readonly forgetDiscovery: (jobName: string) => void;
  readonly metrics: ScrapeMetrics;
  readonly clock: Clock;
  readonly log: Log;
  readonly userAgent: string;
}

/** Targets follow what discovery says no more often; a pod that starts changes it several times in a second. */
const SYNC_INTERVAL_MS = 5_000;

/** Loops started between two pauses. */
const LOOPS_A_STEP = 64;

/** Of dropped targets that nobody limited, so many are shown. */
const MAX_SHOWN_DROPPED = 10_000;

/** One mechanism of the job, and what it found last. */
interface Mechanism {
  readonly options: DiscoveryOptions;
  readonly discovery: Discovery;
  /** Undefined until it has found out. */
  groups: readonly TargetGroup[] | undefined;
}

/** One job: its discovery, its connections, and a loop for every target. */
export class ScrapePool {
  readonly #parts: ScrapeParts;
  #job: ScrapeJobOptions;
  #client: ScrapeClient;
  #relabelRules: CompiledRules;
  #knownGroups: KnownGroups = new WeakMap();
  #bodyRules: BodyRules;
  #mechanisms: Mechanism[] = [];
  /** What a configuration before had found: its targets stay until every mechanism of this one has spoken. */
  #inherited: readonly TargetGroup[] = [];
  readonly #loops = new Map<string, TargetLoop>();
  /** Loops of targets that are gone, and not yet at their end. */
  readonly #ending = new Set<Promise<void>>();
  #found: TargetSet = { targets: [], dropped: [], refused: [] };
  #syncedMs = Number.NEGATIVE_INFINITY;
  #cancelSync: (() => void) | undefined;
  /** One after the other. */
  #syncing: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(job: ScrapeJobOptions, parts: ScrapeParts) {
    this.#parts = parts;
    this.#job = job;
    this.#client = new ScrapeClient(job, parts);
    this.#relabelRules = compileRules(job.relabelRules, job.nameValidation);
    this.#bodyRules = bodyRulesOf(job);
  }

  get job(): ScrapeJobOptions {
    return this.#job;
  }

  get loops(): Iterable<TargetLoop> {
    return this.#loops.values();
  }

  get droppedCount(): number {
    return this.#found.dropped.length;
  }

  /** Discovered labels of targets that relabelling drops, as many as are to be kept. */
  get dropped(): readonly Labels[] {
    return this.#found.dropped.slice(0, this.#job.keepDroppedTargets || MAX_SHOWN_DROPPED);
  }

  /** Resolves when what was known at once is scraped. */
  start(): Promise<void> {
    this.#mechanisms = this.#job.discovery.map((options) => this.#discover(options));
    this.#startMechanisms(this.#mechanisms);
    return this.#syncing;
  }

  /** Goes on with other options. Mechanisms that they leave as they are go on, and so do series that keep their labels. */
  async reconfigure(job: ScrapeJobOptions): Promise<void> {
    this.#cancelSync?.();
    // As if one were scheduled: the one at the end serves for all.
    this.#cancelSync = () => {};
    await this.#syncing;
    await Promise.all([...this.#loops.values()].map((loop) => loop.stop(false)));
    const replaced = this.#client;
    if (!haveSameBodyRules(this.#job, job)) this.#bodyRules = bodyRulesOf(job);
    this.#relabelRules = compileRules(job.relabelRules, job.nameValidation);
    this.#knownGroups = new WeakMap();
    this.#job = job;
    this.#client = new ScrapeClient(job, this.#parts);
    await Promise.all([replaced.close(), this.#replaceMechanisms()]);
    this.#cancelSync = undefined;
    await this.#sync(true);
  }

  /** @param isGone the job is gone from the configuration, and the series of its targets end */
  async stop(isGone: boolean): Promise<void> {
    this.#isStopped = true;
    this.#cancelSync?.();
    await this.#syncing;
    await Promise.all(this.#mechanisms.map(({ discovery }) => discovery.stop()));
    await Promise.all([...[...this.#loops.values()].map((loop) => loop.stop(isGone)), ...this.#ending]);
    this.#loops.clear();
    await this.#client.close();
    this.#parts.metrics.forgetJob(this.#job.jobName);
    this.#parts.forgetDiscovery(this.#job.jobName);
  }

  #discover(options: DiscoveryOptions): Mechanism {
    return { options, discovery: this.#parts.discover(options, this.#job.jobName), groups: undefined };
  }

  #startMechanisms(mechanisms: readonly Mechanism[]): void {
    for (const mechanism of mechanisms) {
      mechanism.discovery.start((groups) => {
        mechanism.groups = groups;
        this.#scheduleSync();
      });
    }
  }

  async #replaceMechanisms(): Promise<void> {
    const before = this.#mechanisms;
    const groups = this.#groups();
    const kept = new Set<Mechanism>();
    const started: Mechanism[] = [];
    this.#mechanisms = this.#job.discovery.map((options) => {
      const same = before.find((each) => !kept.has(each) && isDeepStrictEqual(each.options, options));
      const mechanism = same ?? this.#discover(options);
      if (same !== undefined) kept.add(same);
      else started.push(mechanism);
      return mechanism;
    });
    this.#inherited = groups;
    const gone = before.filter((mechanism) => !kept.has(mechanism));
    await Promise.all(gone.map(({ discovery }) => discovery.stop()));
    this.#startMechanisms(started);
  }

  #groups(): readonly TargetGroup[] {
    const known = this.#mechanisms.flatMap(({ groups }) => groups ?? []);
    if (this.#mechanisms.some(({ groups }) => groups === undefined)) return [...known, ...this.#inherited];
    this.#inherited = [];
    return known;
  }

  /** At once if the last time is long enough ago, else when it will be. */
  #scheduleSync(): void {
    if (this.#isStopped || this.#cancelSync !== undefined) return;
    const sinceMs = this.#parts.clock.monotonicMs() - this.#syncedMs;
    if (sinceMs >= SYNC_INTERVAL_MS) void this.#sync(false);
    else {
      this.#cancelSync = this.#parts.clock.after(SYNC_INTERVAL_MS - sinceMs, () => {
        this.#cancelSync = undefined;
        void this.#sync(false);
      });
    }
  }

  /** Makes the loops those of the targets that are known now. @param restart also those that run already */
  #sync(restart: boolean): Promise<void> {
    this.#syncedMs = this.#parts.clock.monotonicMs();
    const { clock, log } = this.#parts;
    this.#syncing = this.#syncing
      .then(() => doInSlices(this.#syncSteps(restart), clock))
      .catch(({ stack }: Error) => log.error({ job: this.#job.jobName, stack }, 'targets were not brought up to date, by a defect of exemplard')); // biome-ignore format: one call
    return this.#syncing;
  }

  *#syncSteps(restart: boolean): Generator<void, void> {
    const found = yield* targetsOf(this.#job, this.#groups(), this.#relabelRules, this.#knownGroups);
    this.#reportRefused(found);
    this.#found = found;
    const wanted = new Set(found.targets.map(({ identity }) => identity));
    for (const [identity, loop] of this.#loops) if (!wanted.has(identity)) this.#end(identity, loop);
    for (const [i, target] of found.targets.entries()) {
      if (i % LOOPS_A_STEP === LOOPS_A_STEP - 1) yield;
      if (this.#isStopped) return;
      const running = this.#loops.get(target.identity);
      if (running === undefined || restart || !hasSameSettings(running.target, target))
        this.#run(target, running);
      else running.target = target;
    }
    if (this.#refusal() !== undefined) this.#parts.metrics.countTargetLimitExceeded(this.#job.jobName);
  }

  #run(target: Target, before: TargetLoop | undefined): void {
    const stopped = before?.stop(false) ?? Promise.resolve();
    const { sink, buffers, checkUps, metrics, clock, log } = this.#parts;
    const shared = { sink, buffers, checkUps, metrics, clock, log };
    const refusal = () => this.#refusal();
    const parts = { ...shared, job: this.#job, client: this.#client, rules: this.#bodyRules, refusal };
    const loop = new TargetLoop(target, parts, before);
    this.#loops.set(target.identity, loop);
    loop.start(stopped);
  }

  #end(identity: string, loop: TargetLoop): void {
    this.#loops.delete(identity);
    const ended = loop.stop(true).finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  /** Why no target of the job is scraped. */
  #refusal(): string | undefined {
    const { targetLimit } = this.#job;
    const count = this.#found.targets.length;
    if (targetLimit === 0 || count <= targetLimit) return undefined;
    return `target_limit exceeded (number of targets: ${count}, limit: ${targetLimit})`;
  }

  /** Each once: groups come again and again. */
  #reportRefused({ refused }: TargetSet): void {
    const { log, metrics } = this.#parts;
    const known = new Set(this.#found.refused.map(({ discoveredLabels }) => discoveredLabels.join('\xff')));
    for (const { discoveredLabels, error } of refused) {
      metrics.countRefusedTarget(this.#job.jobName);
      if (known.has(discoveredLabels.join('\xff'))) continue;
      const address = discoveredLabels[discoveredLabels.indexOf('__address__') + 1];
      log.error({ job: this.#job.jobName, address, error }, 'target is not scraped');
    }
  }
}

/** Targets of one identity may still differ in what relabelling sets beside labels and URL. */
function hasSameSettings(a: Target, b: Target): boolean {
  return (
    a.intervalMs === b.intervalMs &&
    a.timeoutMs === b.timeoutMs &&
    isDeepStrictEqual(a.histograms, b.histograms)
  );
}

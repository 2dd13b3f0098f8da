/**
 * Forwards one log's batches to one remote write receiver.
 *
 *     reader ─► validate ─► shard (hash mod shards) ─► gather by series ─► isolate refusals ─► send, retry
 *       ▲                                                                     │
 *       └───────────── confirm: in order, once every row is sent or dropped ──┘
 *
 * A full shard stops the reading, so what waits for a slow receiver waits in the log.
 */
import type { Batch, BatchReader, LoggedBatch } from '../model/batch.js';
import { compileRules } from '../model/relabel.js';
import { type Clock, sleep } from '../util/clock.js';
import { Once } from '../util/lifecycle.js';
import type { Log } from '../util/log.js';
import { TimeSlices } from '../util/time-slices.js';
import { Deliveries, type Delivery, type Row, type SettledRows } from './delivery.js';
import { Endpoint, shownUrlOf } from './endpoint.js';
import { type Failure, FailureLog } from './failure-log.js';
import { IsolatingSender } from './isolating-sender.js';
import type { DropReason, RemoteWriteMeter } from './meter.js';
import type { RemoteWriteMetrics } from './metrics.js';
import { Negotiation } from './negotiation.js';
import type { RemoteWriteOptions } from './options.js';
import { desiredShards, RESHARD_INTERVAL_MS, TrafficMeter } from './resharding.js';
import { Sender } from './sender.js';
import { SeriesStates } from './series-state.js';
import { Shard } from './shard.js';
import { Shards } from './shards.js';
import { cutOffOld, gatherTimeSeries, type TimeSeries, withoutSamples } from './time-series.js';
import { fit } from './validate.js';

export interface ForwarderParts {
  readonly options: RemoteWriteOptions;
  /** Stays the caller's to close: a journal's reader keeps its place over a restart. */
  readonly reader: BatchReader;
  /** What a predecessor at the same reader has settled of what will be handed out again. */
  readonly settledBefore?: SettledRows;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: RemoteWriteMetrics;
  /** `exemplard/<version>` */
  readonly userAgent: string;
}

export interface ForwarderStatus {
  readonly name: string;
  /** Without credentials. */
  readonly url: string;
  readonly shards: number;
  readonly desiredShards: number;
  /** Exemplars in the log or on their way. */
  readonly pending: number;
  readonly lost: number;
  readonly lastFailure: Failure | undefined;
}

export interface Forwarder {
  start(): void;
  /**
   * For a log that will be gone: sends what it holds and what is on its way; what is left after `deadlineMs` is
   * counted as dropped, reason `shutdown`, and stays unconfirmed. Calling again gives the same promise. Never rejects.
   */
  stop(deadlineMs: number): Promise<void>;
  /**
   * For a log that will be read on, by a successor or after a restart: sends what is on its way, each request once
   * and none after `deadlineMs`. The rest stays in the log, neither confirmed nor counted. Never rejects.
   * @returns what a successor must not send again
   */
  halt(deadlineMs: number): Promise<SettledRows>;
  status(): ForwarderStatus;
  /** Takes its label values off `/metrics`: after `stop`, when this remote write is gone from the configuration. */
  forget(): void;
}

export function createForwarder(parts: ForwarderParts): Forwarder {
  return new RemoteWriteForwarder(parts);
}

class RemoteWriteForwarder implements Forwarder {
  readonly #parts: ForwarderParts;
  readonly #url: string;
  readonly #meter: RemoteWriteMeter;
  readonly #failures: FailureLog;
  readonly #traffic = new TrafficMeter();
  readonly #negotiation: Negotiation;
  readonly #endpoint: Endpoint;
  readonly #sender: Sender;
  readonly #isolatingSender: IsolatingSender;
  readonly #states: SeriesStates;
  readonly #deliveries: Deliveries;
  readonly #stopReading = new AbortController();
  readonly #stopRetrying = new AbortController();
  readonly #stopSending = new AbortController();
  readonly #stopSignals = { retrying: this.#stopRetrying.signal, sending: this.#stopSending.signal };
  readonly #shards: Shards;
  #desiredShards: number;
  #running: Promise<unknown> | undefined;
  readonly #stopped = new Once<void>();
  #isStopping = false;

  constructor(parts: ForwarderParts) {
    const { options, reader, settledBefore, clock, log, metrics, userAgent } = parts;
    const { queue, exemplarMode: mode } = options;
    this.#parts = parts;
    this.#url = shownUrlOf(options.url);
    this.#desiredShards = queue.minShards;
    this.#meter = metrics.meter(options.name, this.#url, () => this.#gauges());
    this.#failures = new FailureLog(log, clock, () => this.#logFields());
    this.#endpoint = new Endpoint({ options, clock, userAgent });
    this.#deliveries = new Deliveries((position) => reader.confirm(position), settledBefore);
    this.#states = new SeriesStates(
      options.externalLabels,
      undefined,
      compileRules(options.writeRelabelRules),
    );
    const negotiation = new Negotiation({
      wanted: options.protobufMessage,
      clock,
      log,
      fields: () => this.#logFields(),
      switched: () => this.#meter.protocolSwitched(),
    });
    this.#negotiation = negotiation;
    const shared = { clock, meter: this.#meter, traffic: this.#traffic, failures: this.#failures };
    const sender = new Sender({ ...shared, queue, negotiation, endpoint: this.#endpoint });
    this.#sender = sender;
    this.#isolatingSender = new IsolatingSender({
      ...shared,
      mode,
      allowsExemplarsAlone: () => negotiation.encoder.allowsExemplarsAlone,
      send: (all, stop) => sender.send(all, stop),
      settle: (row) => this.#deliveries.settle(row),
    });
    this.#shards = new Shards(queue.minShards, () => this.#createShard());
  }

  start(): void {
    if (this.#isStopping) return;
    this.#running ??= Promise.all([this.#read(), this.#reshard()]);
  }

  stop(deadlineMs: number): Promise<void> {
    return this.#stopped.run(async () => {
      await this.#end(deadlineMs);
      this.#dropRest();
    });
  }

  async halt(deadlineMs: number): Promise<SettledRows> {
    this.#stopRetrying.abort();
    await this.#stopped.run(() => this.#end(deadlineMs));
    return this.#deliveries.settledRows();
  }

  status(): ForwarderStatus {
    const { pending, lost, shards, desiredShards } = this.#gauges();
    const lastFailure = this.#failures.last;
    return {
      name: this.#parts.options.name,
      url: this.#url,
      shards,
      desiredShards,
      pending,
      lost,
      lastFailure,
    };
  }

  forget(): void {
    this.#parts.metrics.remove(this.#parts.options.name, this.#url);
  }

  async #read(): Promise<void> {
    const { reader } = this.#parts;
    const stop = this.#stopReading.signal;
    // A backlog is read at full speed, and nothing in it may be worth sending.
    const slices = new TimeSlices(this.#parts.clock);
    for (let logged = await reader.next(stop); logged !== undefined; logged = await reader.next(stop)) {
      await this.#route(logged);
      if (slices.isOver) await slices.pause();
    }
    // Stopping for good: what is in the log already still has until the deadline.
    while (this.#unreadRows > 0) {
      const logged = await reader.next(this.#stopRetrying.signal);
      if (logged === undefined) return;
      await this.#route(logged);
      if (slices.isOver) await slices.pause();
    }
  }

  get #unreadRows(): number {
    // A reader that was closed has given up what it handed out, too.
    return Math.max(0, this.#parts.reader.pendingRows - this.#deliveries.rowsInHand);
  }

  async #route(logged: LoggedBatch): Promise<void> {
    const { batch } = logged;
    const delivery = this.#deliveries.begin(logged);
    if (!delivery.isAgain) this.#received(batch);
    // Once a batch: on some machines asking for the time costs more than all else that is done for a row.
    const [nowMs, monotonicMs] = [this.#parts.clock.nowMs(), this.#parts.clock.monotonicMs()];
    for (let index = 0; index < batch.length; index++) {
      if (delivery.isSettled(index)) continue;
      const row = this.#exemplarRow(batch, index, delivery, nowMs, monotonicMs);
      if (row !== undefined && !this.#shards.tryPut(row) && !(await this.#putWhenRoom(row))) return;
    }
    // The last there is of those series.
    for (let index = 0; index < batch.staleSeries.length; index++) {
      const row = this.#markerRow(batch, index, delivery);
      if (row !== undefined && !this.#shards.tryPut(row) && !(await this.#putWhenRoom(row))) return;
    }
  }

  #received(batch: Batch): void {
    this.#traffic.received(batch.length);
    this.#meter.received(
      batch.length,
      batch.timestampsMs.reduce((newest, timeMs) => Math.max(newest, timeMs), 0),
    );
  }

  /** @returns undefined where the exemplar must not be sent, and is settled */
  #exemplarRow(
    batch: Batch,
    index: number,
    delivery: Delivery,
    nowMs: number,
    monotonicMs: number,
  ): Row | undefined {
    const state = this.#states.of(batch.series[index]!);
    const fitted = state.isDropped ? 'dropped_series' : fit(batch, index, nowMs);
    if (typeof fitted === 'string') {
      this.#drop(fitted, 1);
      this.#deliveries.settle({ delivery, index, isMarker: false });
      return undefined;
    }
    if (fitted?.isTrimmed) this.#meter.trimmed(1);
    const items = state.sendsSamples(this.#parts.options.exemplarMode, monotonicMs) ? 2 : 1;
    return { batch, index, isMarker: false, state, delivery, items, trimmedLabels: fitted?.bytes };
  }

  /** @returns undefined where the series is not sent, and the marker is settled */
  #markerRow(batch: Batch, index: number, delivery: Delivery): Row | undefined {
    const state = this.#states.of(batch.staleSeries[index]!);
    if (state.isDropped) {
      this.#deliveries.settle({ delivery, index, isMarker: true });
      return undefined;
    }
    return { batch, index, isMarker: true, state, delivery, items: 1, trimmedLabels: undefined };
  }

  /** After a `tryPut` that failed. @returns false when stopped before there was room */
  async #putWhenRoom(row: Row): Promise<boolean> {
    this.#meter.blocked();
    do {
      await this.#shards.room(row);
      if (this.#stopRetrying.signal.aborted) return false;
    } while (!this.#shards.tryPut(row));
    return true;
  }

  async #reshard(): Promise<void> {
    const { clock, options } = this.#parts;
    const { minShards, maxShards } = options.queue;
    const stop = this.#stopReading.signal;
    for (;;) {
      await sleep(clock, RESHARD_INTERVAL_MS, stop);
      if (stop.aborted) return;
      const traffic = this.#traffic.tick(this.#pendingRows);
      if (!this.#trafficIsTelling()) continue;
      this.#desiredShards = desiredShards(traffic, this.#shards.count, minShards, maxShards);
      if (this.#desiredShards === this.#shards.count) continue;
      this.#parts.log.debug({ ...this.#logFields(), shards: this.#desiredShards }, 'resharding');
      await this.#shards.resize(this.#desiredShards);
    }
  }

  /** Not while nothing gets through, nor while a receiver has asked us to wait. */
  #trafficIsTelling(): boolean {
    const nowMs = this.#parts.clock.monotonicMs();
    return nowMs - this.#sender.lastDeliveredMs <= RESHARD_INTERVAL_MS && nowMs >= this.#sender.calmFromMs;
  }

  #createShard(): Shard {
    const { clock, options } = this.#parts;
    const { queue } = options;
    return new Shard({
      clock,
      capacity: this.#shardCapacity,
      maxItemsPerSend: queue.maxSamplesPerSend,
      sendDeadlineMs: queue.batchSendDeadlineMs,
      send: (rows) => this.#send(rows),
      stop: this.#stopSending.signal,
    });
  }

  async #send(rows: readonly Row[]): Promise<boolean> {
    const all = gatherTimeSeries(rows, {
      mode: this.#parts.options.exemplarMode,
      atMs: this.#parts.clock.monotonicMs(),
      outOfOrder: (row) => {
        this.#drop('out_of_order', 1);
        this.#deliveries.settle(row);
      },
      needless: (marker) => this.#deliveries.settle(marker),
    });
    if (all.length === 0) return true;
    if (!this.#negotiation.encoder.allowsExemplarsAlone) return this.#sendOne(all);
    const { first, second } = cutOffOld(all);
    if (!(await this.#sendOne(first))) return false;
    if (second.length === 0) return true;
    // The first request may have taught us that this receiver wants the other protocol.
    const isFine = this.#negotiation.encoder.allowsExemplarsAlone;
    return this.#sendOne(isFine ? second.map(withoutSamples) : second);
  }

  #sendOne(all: readonly TimeSeries[]): Promise<boolean> {
    return this.#isolatingSender.send(all, this.#stopSignals);
  }

  /** Reads no more, and waits for what is on its way until the deadline. */
  async #end(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    const cancelDeadline = this.#parts.clock.after(deadlineMs, () => {
      this.#stopRetrying.abort();
      this.#stopSending.abort();
    });
    this.#stopReading.abort();
    await this.#running;
    await this.#shards.drain();
    cancelDeadline();
    await this.#endpoint.close();
  }

  #dropRest(): void {
    const unread = this.#unreadRows;
    const left = unread + this.#deliveries.openRows;
    if (left === 0) return;
    this.#meter.received(unread, 0);
    this.#drop('shutdown', left);
    this.#parts.log.warn({ ...this.#logFields(), exemplars: left }, 'stopped before everything was sent');
  }

  #drop(reason: DropReason, exemplars: number): void {
    this.#meter.dropped(reason, exemplars);
    this.#traffic.dropped(exemplars);
  }

  #gauges() {
    const { reader, options } = this.#parts;
    return {
      pending: this.#pendingRows,
      lost: reader.lostRows,
      shards: this.#shards.count,
      minShards: options.queue.minShards,
      maxShards: options.queue.maxShards,
      desiredShards: this.#desiredShards,
      shardCapacity: this.#shardCapacity,
      maxSamplesPerSend: options.queue.maxSamplesPerSend,
    };
  }

  /** A batch is confirmed whole, but some of its rows may be gone already. */
  get #pendingRows(): number {
    const settledInHand = this.#deliveries.rowsInHand - this.#deliveries.openRows;
    return Math.max(0, this.#parts.reader.pendingRows - settledInHand);
  }

  get #shardCapacity(): number {
    const { capacity, maxSamplesPerSend } = this.#parts.options.queue;
    // Less would never make a request full, and each would wait for its deadline.
    return Math.max(capacity, maxSamplesPerSend);
  }

  #logFields(): object {
    return { remote_name: this.#parts.options.name, url: this.#url, pending: this.#pendingRows };
  }
}

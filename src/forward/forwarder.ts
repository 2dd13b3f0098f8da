/**
 * Forwards one log's batches to one remote write receiver.
 *
 *     reader ─► validate ─► shard (ref mod shards) ─► gather by series ─► isolate refusals ─► send, retry
 *       ▲                                                                     │
 *       └───────────── confirm: in order, once every row is sent or dropped ──┘
 *
 * A full shard stops the reading, so what waits for a slow receiver waits in the log.
 */
import type { BatchReader, LoggedBatch } from '../model/batch.js';
import { type Clock, sleep } from '../util/clock.js';
import type { Log } from '../util/log.js';
import { Deliveries, type Row } from './delivery.js';
import { WriteRequestEncoder } from './encode.js';
import { Endpoint, urlWithoutCredentials } from './endpoint.js';
import { type Failure, FailureLog } from './failure-log.js';
import { IsolatingSender } from './isolating-sender.js';
import type { DropReason, RemoteWriteMeter, RemoteWriteMetrics } from './metrics.js';
import type { RemoteWriteOptions } from './options.js';
import { desiredShards, RESHARD_INTERVAL_MS, TrafficMeter } from './resharding.js';
import { Sender } from './sender.js';
import { SeriesStates } from './series-state.js';
import { Shard } from './shard.js';
import { Shards } from './shards.js';
import { gatherTimeSeries } from './time-series.js';
import { invalidReason } from './validate.js';

export interface ForwarderParts {
  readonly options: RemoteWriteOptions;
  /** Stays the caller's to close: a journal's reader keeps its place over a restart. */
  readonly reader: BatchReader;
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
   * Sends what the log holds and what is on its way; what is left after `deadlineMs` is counted as dropped,
   * reason `shutdown`, and stays unconfirmed. Calling again gives the same promise. Never rejects.
   */
  stop(deadlineMs: number): Promise<void>;
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
  readonly #encoder = new WriteRequestEncoder();
  readonly #endpoint: Endpoint;
  readonly #sender: Sender;
  readonly #isolatingSender: IsolatingSender;
  readonly #states: SeriesStates;
  readonly #deliveries: Deliveries;
  readonly #stopReading = new AbortController();
  readonly #stopSending = new AbortController();
  readonly #shards: Shards;
  #desiredShards: number;
  #running: Promise<unknown> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(parts: ForwarderParts) {
    const { options, reader, clock, log, metrics, userAgent } = parts;
    const { queue, exemplarMode: mode } = options;
    this.#parts = parts;
    this.#url = urlWithoutCredentials(options.url).href;
    this.#desiredShards = queue.minShards;
    this.#meter = metrics.meter(options.name, this.#url, () => this.#gauges());
    this.#failures = new FailureLog(log, clock, () => this.#logFields());
    this.#endpoint = new Endpoint({ options, clock, userAgent });
    this.#deliveries = new Deliveries((position) => reader.confirm(position));
    this.#states = new SeriesStates(options.externalLabels, (labels) =>
      this.#encoder.encodeSeriesLabels(labels),
    );
    const shared = { clock, meter: this.#meter, traffic: this.#traffic, failures: this.#failures };
    const sender = new Sender({ ...shared, queue, encoder: this.#encoder, endpoint: this.#endpoint });
    this.#sender = sender;
    this.#isolatingSender = new IsolatingSender({
      ...shared,
      mode,
      send: (all, stop) => sender.send(all, stop),
      settle: (row) => this.#deliveries.settle(row.delivery),
    });
    this.#shards = new Shards(queue.minShards, () => this.#createShard());
  }

  start(): void {
    if (this.#stopped !== undefined) return;
    this.#running ??= Promise.all([this.#read(), this.#reshard()]);
  }

  stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
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
    this.#meter.remove();
  }

  async #read(): Promise<void> {
    const { reader } = this.#parts;
    const stop = this.#stopReading.signal;
    for (let logged = await reader.next(stop); logged !== undefined; logged = await reader.next(stop)) {
      await this.#route(logged);
    }
    // Stopping: what is in the log already still has until the deadline.
    const abort = this.#stopSending.signal;
    while (this.#unreadRows > 0) {
      const logged = await reader.next(abort);
      if (logged === undefined) return;
      await this.#route(logged);
    }
  }

  get #unreadRows(): number {
    // A reader that was closed has given up what it handed out, too.
    return Math.max(0, this.#parts.reader.pendingRows - this.#deliveries.rowsInHand);
  }

  async #route(logged: LoggedBatch): Promise<void> {
    const { batch } = logged;
    const delivery = this.#deliveries.begin(logged);
    this.#traffic.received(batch.length);
    const { clock, options } = this.#parts;
    const nowMs = clock.nowMs();
    for (let index = 0; index < batch.length; index++) {
      const reason = invalidReason(batch, index, nowMs);
      if (reason === undefined) {
        const state = this.#states.of(batch.series[index]!);
        const items = state.sendsSamples(options.exemplarMode, nowMs) ? 2 : 1;
        const row = { batch, index, state, delivery, items };
        if (!this.#shards.tryPut(row) && !(await this.#putWhenRoom(row))) return;
      } else {
        this.#drop(reason, 1);
        this.#deliveries.settle(delivery);
      }
    }
  }

  /** @returns false when aborted before there was room */
  async #putWhenRoom(row: Row): Promise<boolean> {
    do {
      await this.#shards.room(row);
      if (this.#stopSending.signal.aborted) return false;
    } while (!this.#shards.tryPut(row));
    return true;
  }

  async #reshard(): Promise<void> {
    const { clock, reader, options } = this.#parts;
    const { minShards, maxShards } = options.queue;
    const stop = this.#stopReading.signal;
    for (;;) {
      await sleep(clock, RESHARD_INTERVAL_MS, stop);
      if (stop.aborted) return;
      const traffic = this.#traffic.tick(reader.pendingRows);
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
      // Less would never make a request full, and each would wait for its deadline.
      capacity: Math.max(queue.capacity, queue.maxSamplesPerSend),
      maxItemsPerSend: queue.maxSamplesPerSend,
      sendDeadlineMs: queue.batchSendDeadlineMs,
      send: (rows) => this.#send(rows),
      stop: this.#stopSending.signal,
    });
  }

  async #send(rows: readonly Row[]): Promise<void> {
    const { clock, options } = this.#parts;
    const all = gatherTimeSeries(rows, options.exemplarMode, clock.nowMs(), (row) => {
      this.#drop('out_of_order', 1);
      this.#deliveries.settle(row.delivery);
    });
    if (all.length > 0) await this.#isolatingSender.send(all, this.#stopSending.signal);
  }

  async #stop(deadlineMs: number): Promise<void> {
    const cancelDeadline = this.#parts.clock.after(deadlineMs, () => this.#stopSending.abort());
    this.#stopReading.abort();
    await this.#running;
    await this.#shards.drain();
    cancelDeadline();
    await this.#endpoint.close();
    const left = this.#unreadRows + this.#deliveries.openRows;
    if (left === 0) return;
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
      pending: reader.pendingRows,
      lost: reader.lostRows,
      shards: this.#shards.count,
      minShards: options.queue.minShards,
      maxShards: options.queue.maxShards,
      desiredShards: this.#desiredShards,
    };
  }

  #logFields(): object {
    return { remote_name: this.#parts.options.name, url: this.#url, pending: this.#parts.reader.pendingRows };
  }
}

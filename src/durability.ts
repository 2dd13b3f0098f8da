/**
 * How the store outlives the process: its snapshots and the journal behind them, and the way back on start.
 *
 *     rings ── snapshot, now and then ──► snapshot-<position>
 *     accepted batches ────────────────► journal                 start: snapshot, then the journal from its position
 */
import { Journal, type JournalParts } from './journal/journal.js';
import type { JournalOptions } from './journal/options.js';
import { Snapshots } from './journal/snapshots.js';
import { StorageDirectory } from './journal/storage-directory.js';
import { type Batch, labelsStartOf, type Series } from './model/batch.js';
import type { EncodedExemplar } from './model/exemplar.js';
import type { Labels } from './model/labels.js';
import type { Metadata } from './model/metadata.js';
import type { ExemplarStore } from './store/exemplar-store.js';
import { SnapshotRestorer, snapshotChunks } from './store/snapshot.js';
import { type Clock, sleep } from './util/clock.js';
import type { Log } from './util/log.js';
import { TimeSlices } from './util/time-slices.js';

/** So much of the journal is read in about a second. */
const MAX_REPLAY_BYTES = 128 * 1024 * 1024;
const CHECK_INTERVAL_MS = 1_000;
/** After one that failed: a full disk is not filled with attempts again and again. */
const RETRY_SAVE_MS = 60_000;

export interface DurabilityParts {
  /** `--storage.path` */
  readonly path: string;
  readonly options: JournalOptions;
  readonly store: ExemplarStore;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Recovery {
  readonly seconds: number;
  readonly replayedRows: number;
}

export class Durability {
  readonly journal: Journal;
  readonly snapshots: Snapshots;
  readonly #parts: DurabilityParts;
  #options: JournalOptions;
  #directory: StorageDirectory | undefined;
  /** The store holds what the directory does, and may be saved to it. */
  #isRestored = false;
  /** Position of the snapshot that is safe. */
  #snapshotPosition = 0;
  #saving: Promise<void> | undefined;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #saveNotBeforeMs = Number.NEGATIVE_INFINITY;
  #recovery: Recovery = { seconds: 0, replayedRows: 0 };
  #isComplete = false;
  #isNew = false;

  constructor(parts: DurabilityParts) {
    const { path, options, store, clock, log } = parts;
    this.#parts = parts;
    this.#options = options;
    this.snapshots = new Snapshots(path, clock, log);
    this.journal = new Journal({
      directory: path,
      options,
      resolve: (labels) => store.resolveSinkSeries(labels),
      onDelivered: (batch) => markForwarded(store, batch),
      onLost: (batch) =>
        forEachRow(batch, (series, timestampMs) => store.countUndeliverable(series, timestampMs)),
      clock,
      log,
    } satisfies JournalParts);
  }

  /** Whether nothing was ever accepted here. */
  get isNew(): boolean {
    return this.#isNew;
  }

  /** Whether the store has again all that it had, and knows what it had forgotten. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** What the last start read. */
  get recovery(): Recovery {
    return this.#recovery;
  }

  /**
   * Takes the directory and fills the store from it. Before anything is appended or read.
   * @throws Error with the reason why the directory cannot be used
   */
  async open(): Promise<void> {
    const { path, store, clock, log } = this.#parts;
    const startMs = clock.monotonicMs();
    this.#directory = await StorageDirectory.open(path);
    await this.journal.open();
    const restorer = new SnapshotRestorer(store);
    this.#snapshotPosition = await this.snapshots.load((chunk) => restorer.take(chunk));
    // Of a damaged one the journal makes up what is missing, and counts it again.
    if (this.#snapshotPosition > 0) restorer.finish();
    if (restorer.overwritten > 0) {
      log.warn(
        { exemplars: restorer.overwritten },
        'the caps are smaller than before: the oldest exemplars of rings were given up',
      );
    }
    this.journal.setSnapshotPosition(this.#snapshotPosition);
    if (this.journal.undeliveredPositionAtStart >= this.#snapshotPosition) store.markAllForwarded();
    this.#isNew = this.journal.next.position === 0 && this.journal.totals.damagedSegments === 0;
    this.#isComplete = this.#snapshotPosition > 0 && restorer.saysWhatIsForgotten;
    const replayedRows = await this.#replay();
    this.#isComplete &&= this.journal.totals.damagedSegments === 0;
    this.#isRestored = true;
    // Before anything else: one that is killed again and again after seconds would read more at each start, until
    // the oldest segments went with what no snapshot has.
    await this.saveIfDue();
    const seconds = (clock.monotonicMs() - startMs) / 1000;
    this.#recovery = { seconds, replayedRows };
    const fields = { path, exemplars: store.exemplars, series: store.index.size, replayedRows, seconds };
    log.info(fields, 'exemplars restored');
    this.#running = this.#saveAgainAndAgain();
  }

  setOptions(options: JournalOptions): void {
    this.#options = options;
    this.journal.setOptions(options);
  }

  /** Saves a snapshot where a restart would have much to read without it. Never rejects. */
  saveIfDue(): Promise<void> {
    // A snapshot stands in for segments before they are dropped.
    const maxReplayBytes = Math.min(MAX_REPLAY_BYTES, this.#options.maxBytes / 4);
    if (this.journal.bytesFrom(this.#snapshotPosition) < maxReplayBytes) return Promise.resolve();
    if (this.#parts.clock.monotonicMs() < this.#saveNotBeforeMs) return Promise.resolve();
    return this.#save();
  }

  /** After the last append and the last confirmation. */
  async close(): Promise<void> {
    if (this.#directory === undefined) return;
    this.#stop.abort();
    await this.journal.close();
    await this.#running;
    await this.#saving;
    if (this.#isRestored && this.journal.next.position > this.#snapshotPosition) await this.#save();
    await this.#directory.close();
  }

  async #saveAgainAndAgain(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await sleep(this.#parts.clock, CHECK_INTERVAL_MS, this.#stop.signal);
      if (!this.#stop.signal.aborted) await this.saveIfDue();
    }
  }

  #save(): Promise<void> {
    this.#saving ??= this.#saveNow().finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  async #saveNow(): Promise<void> {
    const { store, clock } = this.#parts;
    // What is appended meanwhile is both in the snapshot and behind its position, which does no harm.
    const { position } = this.journal.next;
    if (!(await this.snapshots.save(position, snapshotChunks(store, new TimeSlices(clock))))) {
      this.#saveNotBeforeMs = clock.monotonicMs() + RETRY_SAVE_MS;
      return;
    }
    this.#snapshotPosition = position;
    this.journal.setSnapshotPosition(position);
  }

  async #replay(): Promise<number> {
    const { store, clock } = this.#parts;
    const slices = new TimeSlices(clock);
    const resolve = (labels: Labels, metadata: Metadata, acceptedMs: number) => {
      const series = store.seriesOf(labels, acceptedMs);
      store.describe(series, metadata);
      return store.sinkSeries(series);
    };
    let rows = 0;
    const undelivered = this.journal.undeliveredPositionAtStart;
    for await (const { position, batch } of this.journal.replay(this.#snapshotPosition, resolve)) {
      // The segments between may be gone, when it is not the newest snapshot that could be read.
      this.#isComplete &&= rows > 0 || position <= this.#snapshotPosition;
      replayBatch(store, batch);
      if (position < undelivered) markForwarded(store, batch);
      rows += batch.length;
      if (slices.isOver) await slices.pause();
    }
    return rows;
  }
}

function replayBatch(store: ExemplarStore, batch: Batch): void {
  const { acceptedMs, labelBytes, labelEnds } = batch;
  for (let row = 0; row < batch.length; row++) {
    const labels = labelBytes.subarray(labelsStartOf(batch, row), labelEnds[row]);
    const exemplar: EncodedExemplar = {
      timestampMs: batch.timestampsMs[row]!,
      value: batch.values[row]!,
      hasOwnTimestamp: batch.ownTimestamps[row] === 1,
      labels,
      labelsLength: labels.length,
      // Counted when it first came in.
      codePoints: 0,
    };
    store.replay(store.refOf(batch.series[row]!, acceptedMs), exemplar, acceptedMs);
  }
}

export function markForwarded(store: ExemplarStore, batch: Batch): void {
  forEachRow(batch, (series, timestampMs) => store.markForwarded(series, timestampMs));
}

function forEachRow(batch: Batch, each: (series: Series, timestampMs: number) => void): void {
  for (let row = 0; row < batch.length; row++) each(batch.series[row]!, batch.timestampsMs[row]!);
}

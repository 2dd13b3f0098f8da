import { isDeepStrictEqual } from 'node:util';
import type { Database } from '../clickhouse/database.js';
import type { BatchLog, BatchReader } from '../model/batch.js';
import type { MetricsRegistry } from '../telemetry/registry.js';
import { type Clock, sleep } from '../util/clock.js';
import type { Log } from '../util/log.js';
import { Archive } from './archive.js';
import { ArchiveMeter } from './meter.js';
import { addArchiveMetrics } from './metrics.js';
import { type OpenDatabase, openDatabase } from './open-database.js';
import type { ArchiveOptions } from './options.js';

/** Readers of the archive, in the log, among others. */
const READER_PREFIX = 'archive ';
const REFRESH_INTERVAL_MS = 15_000;
/** The embedded one is the same wherever the storage path is moved, and however it is written. */
const EMBEDDED = 'embedded';

export interface ArchiveManagerParts {
  readonly batches: BatchLog;
  readonly storagePath: string | undefined;
  readonly registry: MetricsRegistry;
  readonly clock: Clock;
  readonly log: Log;
}

/** The archive of the running configuration, which a reload may end, or replace by another. */
export class ArchiveManager {
  readonly #parts: ArchiveManagerParts;
  readonly #meter = new ArchiveMeter();
  #options: ArchiveOptions | undefined;
  #traceIdLabels: readonly string[] = [];
  #open: OpenDatabase | undefined;
  #reader: BatchReader | undefined;
  #archive: Archive | undefined;
  readonly #stop = new AbortController();

  constructor(parts: ArchiveManagerParts) {
    this.#parts = parts;
    addArchiveMetrics(parts.registry, this.#meter, {
      status: () => this.#archive?.status,
      engine: () => this.#open?.engine,
    });
    this.#refreshAgainAndAgain();
  }

  /** Undefined while there is none. */
  get archive(): Archive | undefined {
    return this.#archive;
  }

  /** Where it is; undefined while there is none. */
  get database(): Database | undefined {
    return this.#open?.database;
  }

  /** @param traceIdLabels names of exemplar labels that hold the id of a trace */
  async apply(options: ArchiveOptions, traceIdLabels: readonly string[], flushMs: number): Promise<void> {
    if (isDeepStrictEqual([options, traceIdLabels], [this.#options, this.#traceIdLabels])) return;
    await this.#archive?.stop(flushMs);
    this.#archive = undefined;
    this.#options = options;
    this.#traceIdLabels = traceIdLabels;
    const { batches, storagePath, clock, log } = this.#parts;
    this.#open = openDatabase({ options, storagePath, clock, log });
    this.#takeReader();
    if (this.#open === undefined || this.#reader === undefined) return;
    // What the archive before had in hand.
    this.#reader.rewind();
    this.#archive = new Archive({
      options,
      database: this.#open.database,
      reader: this.#reader,
      traceIdLabels,
      storagePath: batches.isDurable ? storagePath : undefined,
      meter: this.#meter,
      clock,
      log,
    });
    this.#archive.start();
  }

  /** Never rejects. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stop.abort();
    await this.#archive?.stop(deadlineMs);
  }

  /** Each place has its own: another archive begins with all that the log still has. */
  #takeReader(): void {
    const { batches } = this.#parts;
    const name =
      this.#open &&
      `${READER_PREFIX}${this.#open.engine === undefined ? this.#open.database.name : EMBEDDED}`;
    if (this.#reader?.name === name) return;
    this.#reader?.close();
    this.#reader = name === undefined ? undefined : batches.reader(name, 'oldest');
    batches.forgetReadersExcept(READER_PREFIX, new Set(name === undefined ? [] : [name]));
  }

  async #refreshAgainAndAgain(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await sleep(this.#parts.clock, REFRESH_INTERVAL_MS, this.#stop.signal);
      if (!this.#stop.signal.aborted) await this.#archive?.refreshFigures();
    }
  }
}

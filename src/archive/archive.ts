/** The archive of one configuration: its tables, who writes to them, and what is read from them. */
import { join } from 'node:path';
import type { Database, StatementOptions } from '../clickhouse/database.js';
import type { Placement } from '../clickhouse/tables.js';
import type {
  Archived,
  ArchivedExemplar,
  ArchivedSeries,
  ArchiveFilter,
  ArchiveQuery,
  ArchiveRetention,
  ExemplarArchive,
} from '../model/archive.js';
import type { BatchReader } from '../model/batch.js';
import { type Labels, labelsToJson } from '../model/labels.js';
import { type Clock, sleep } from '../util/clock.js';
import type { Log } from '../util/log.js';
import { TimeSlices } from '../util/time-slices.js';
import { Asking } from './asking.js';
import { exemplarColumns } from './exemplar-columns.js';
import { exemplarsStatement, readSeries, type Statement, traceStatement } from './exemplar-query.js';
import type { ArchiveMeter } from './meter.js';
import type { ArchiveOptions } from './options.js';
import { type OtelFound, OtelMetrics } from './otel-metrics.js';
import { pendingSeries } from './pending-series.js';
import { PreparedTables } from './prepared-tables.js';
import { RefusedRows } from './refused-rows.js';
import { readTableFigures, readTimeFigures, type TableFigures } from './retention-query.js';
import { RowWriter } from './row-writer.js';
import { SeriesLabels } from './series-labels.js';
import { readLabelNames, readLabelSets, readLabelValues } from './series-query.js';
import { ArchiveWriter } from './writer.js';

const PREPARE_AGAIN_MS = 10_000;
const REFUSED_FILE = 'archive-refused.jsonl';
/** Label names, values and sets that one answer takes from the archive. */
const MAX_NAMES = 100_000;
const EVERYTHING: ArchiveFilter = {
  selectors: [],
  startMs: Number.NEGATIVE_INFINITY,
  endMs: Number.POSITIVE_INFINITY,
};

export interface ArchiveParts {
  readonly options: ArchiveOptions;
  readonly database: Database;
  readonly reader: BatchReader;
  readonly traceIdLabels: readonly string[];
  /** Where refused rows are kept. */
  readonly storagePath: string | undefined;
  readonly meter: ArchiveMeter;
  readonly clock: Clock;
  readonly log: Log;
}

/** How the archive is doing. */
export interface ArchiveStatus {
  /** Where it is. */
  readonly database: string;
  readonly pendingRows: number;
  readonly lostRows: number;
  /** How long ago the oldest exemplar was scraped that is not there yet. */
  readonly lagSeconds: number;
  /** False while inserts fail, and before the tables are ready. */
  readonly isTaking: boolean;
  /** Since when nothing gets in. */
  readonly failingSinceMs: number | undefined;
  /** As of the last refresh. */
  readonly figures: TableFigures | undefined;
}

export class Archive implements ExemplarArchive {
  readonly isShared: boolean;
  readonly #parts: ArchiveParts;
  readonly #tables: PreparedTables;
  readonly #writer: ArchiveWriter;
  readonly #placement: Placement;
  /** What the OpenTelemetry exporter wrote; undefined: that is not read. */
  readonly #otel: OtelMetrics | undefined;
  readonly #seriesLabels = new SeriesLabels();
  readonly #asking: Asking;
  readonly #stop = new AbortController();
  #figures: TableFigures | undefined;
  #isPrepared = false;

  constructor(parts: ArchiveParts) {
    const { options, database, reader, storagePath, traceIdLabels, meter, clock, log } = parts;
    this.#parts = parts;
    // Nobody but this process writes to an engine inside it, unless it is said that others do.
    const isEmbedded = options.server === undefined;
    this.isShared = !isEmbedded || options.otelMetricsTables;
    this.#otel = options.otelMetricsTables ? new OtelMetrics(database, options.queryMaxRows) : undefined;
    this.#asking = new Asking({ timeoutMs: options.queryTimeoutMs, meter, clock, log });
    this.#placement = { cluster: options.server?.cluster };
    const rows = new RowWriter({ traceIdLabels, ttlMs: options.ttlMs });
    this.#tables = new PreparedTables({
      database,
      options,
      placement: this.#placement,
      isEmbedded,
      log,
      stop: this.#stop.signal,
      onPrepared: () => rows.announceAgain(),
    });
    const refusedPath = storagePath === undefined ? undefined : join(storagePath, REFUSED_FILE);
    this.#writer = new ArchiveWriter({
      reader,
      rows,
      refused: new RefusedRows(refusedPath, log),
      meter,
      insert: (block, timeoutMs, signal) =>
        this.#tables.use(() => database.insert(block, { timeoutMs, signal })),
      clock,
      log,
    });
  }

  /** At once: an archive that is away is waited for in the background. */
  start(): void {
    this.#prepare().catch(() => {});
    this.#writer.start();
  }

  /** Writes what it has in hand until the deadline. The engine is closed. Never rejects. */
  async stop(deadlineMs: number): Promise<void> {
    // What is in hand may still wait for its tables.
    const cancel = this.#parts.clock.after(deadlineMs, () => this.#stop.abort());
    await this.#writer.stop(deadlineMs);
    cancel();
    this.#stop.abort();
    await this.#parts.database.close();
  }

  get status(): ArchiveStatus {
    const { reader, database } = this.#parts;
    const { lagMs, failingSinceMs } = this.#writer;
    return {
      database: database.name,
      pendingRows: reader.pendingRows,
      lostRows: reader.lostRows,
      lagSeconds: lagMs / 1000,
      isTaking: this.#isPrepared && failingSinceMs === undefined,
      failingSinceMs,
      figures: this.#figures,
    };
  }

  /** Whatever was scraped before is in the archive. */
  get archivedUntilMs(): number {
    return this.#writer.archivedUntilMs;
  }

  exemplars(query: ArchiveQuery): Promise<Archived<readonly ArchivedSeries[]>> {
    const { minValue, maxValue } = query;
    // Written so that NaN fails a bound that is given.
    const isInBounds = ({ value }: ArchivedExemplar) =>
      !(minValue !== undefined && !(value >= minValue)) && !(maxValue !== undefined && !(value <= maxValue));
    const startMs = Math.max(query.startMs, this.#expiredUntilMs);
    const statement = exemplarsStatement({ ...query, startMs }, this.#parts.options.queryMaxRows);
    const ours = this.#read(statement, query, isInBounds);
    return this.#withOtel(ours, (otel, options) => otel.exemplars(query, options));
  }

  exemplarsOfTrace(id: string): Promise<Archived<readonly ArchivedSeries[]>> {
    const { traceIdLabels, options } = this.#parts;
    const isOfTrace = ({ labels }: ArchivedExemplar) =>
      exemplarColumns(labels, traceIdLabels).trace_id === id;
    const statement = traceStatement(id, this.#expiredUntilMs, options.queryMaxRows);
    const ours = this.#read(statement, EVERYTHING, isOfTrace);
    return this.#withOtel(ours, (otel, options) => otel.exemplarsOfTrace(id, options));
  }

  /** What is older goes, part by part: until then it is there, and not shown. */
  get #expiredUntilMs(): number {
    const { options, clock } = this.#parts;
    return options.ttlMs === 0 ? Number.NEGATIVE_INFINITY : clock.nowMs() - options.ttlMs;
  }

  /** What the table has, and what is on its way there. */
  async #read(
    statement: Statement | undefined,
    filter: ArchiveFilter,
    matches: (exemplar: ArchivedExemplar) => boolean,
  ): Promise<Archived<readonly ArchivedSeries[]>> {
    const { clock } = this.#parts;
    const deadline = new AbortController();
    const cancel = clock.after(this.#asking.timeoutMs, () => deadline.abort());
    await this.#writer.caughtUp(deadline.signal);
    cancel();
    // Before the table is asked: what leaves the hand meanwhile is in the table.
    const { batchesInHand, unreadRows } = this.#writer;
    const pending = pendingSeries(batchesInHand, filter, matches, new TimeSlices(clock));
    const archived = await this.#readTable(statement);
    const found = [...archived.found, ...(await pending)];
    if (unreadRows === 0) return { found, warnings: archived.warnings };
    const behind = `archive: ${unreadRows} exemplars wait to be archived; those that rings have overwritten meanwhile are missing`;
    return { found, warnings: [...archived.warnings, behind] };
  }

  labelNames(filter: ArchiveFilter): Promise<Archived<readonly string[]>> {
    return this.#withOtel(
      this.#ask<readonly string[]>([], (database, options) =>
        readLabelNames(database, filter, MAX_NAMES, options),
      ),
      (otel, options) => otel.labelNames(filter, MAX_NAMES, options),
    );
  }

  labelValues(name: string, filter: ArchiveFilter): Promise<Archived<readonly string[]>> {
    return this.#withOtel(
      this.#ask<readonly string[]>([], (database, options) =>
        readLabelValues(database, name, filter, MAX_NAMES, options),
      ),
      (otel, options) => otel.labelValues(name, filter, MAX_NAMES, options),
    );
  }

  async labelSets(filter: ArchiveFilter, limit: number): Promise<Archived<readonly Labels[]>> {
    const most = Math.min(limit, MAX_NAMES);
    const { found, warnings } = await this.#withOtel(
      this.#ask<readonly Labels[]>([], (database, options) => readLabelSets(database, filter, most, options)),
      (otel, options) => otel.labelSets(filter, most, options),
    );
    // A series may be in both.
    return { found: [...new Map(found.map((labels) => [labelsToJson(labels), labels])).values()], warnings };
  }

  retention(): Promise<Archived<ArchiveRetention | undefined>> {
    const { options, reader, clock } = this.#parts;
    return this.#ask(undefined, async (database, statement) => {
      const figures = await readTableFigures(database, this.#placement, statement);
      const times = await readTimeFigures(database, clock.nowMs(), statement);
      return { ...figures, ...times, ttlMs: options.ttlMs, pendingRows: reader.pendingRows };
    });
  }

  /** For metrics. Never rejects. */
  async refreshFigures(): Promise<void> {
    try {
      const options = { timeoutMs: this.#parts.options.queryTimeoutMs };
      const figures = await this.#tables.use(() =>
        readTableFigures(this.#parts.database, this.#placement, options),
      );
      this.#warnOfBrokenParts(figures.brokenParts - (this.#figures?.brokenParts ?? 0));
      this.#figures = figures;
    } catch (error) {
      this.#parts.log.debug({ error: (error as Error).message }, 'the archive does not say how large it is');
    }
  }

  #warnOfBrokenParts(parts: number): void {
    if (parts <= 0) return;
    this.#parts.log.error(
      { parts, archive: this.#parts.database.name },
      'the engine found parts of the archive broken, and put them aside with their exemplars: see system.detached_parts',
    );
  }

  async #prepare(): Promise<void> {
    const { clock, log } = this.#parts;
    let lastError: string | undefined;
    while (!this.#stop.signal.aborted) {
      try {
        await this.#tables.ready();
        this.#isPrepared = true;
        log.info({ archive: this.#parts.database.name }, 'the archive is ready');
        return this.refreshFigures();
      } catch (error) {
        const { message } = error as Error;
        // Of the same error one line is enough, until it is another.
        if (message !== lastError)
          log.error({ error: message }, 'the archive cannot be used yet, will be retried');
        lastError = message;
      }
      await sleep(clock, PREPARE_AGAIN_MS, this.#stop.signal);
    }
  }

  async #readTable(statement: Statement | undefined): Promise<Archived<readonly ArchivedSeries[]>> {
    if (statement === undefined) return { found: [], warnings: [] };
    const { queryMaxRows } = this.#parts.options;
    const answer = await this.#ask({ series: [], isCut: false }, (database, options) =>
      readSeries(database, this.#seriesLabels, statement, queryMaxRows, options),
    );
    const { series, isCut } = answer.found;
    const cut = `archive: more than ${queryMaxRows} exemplars, the rest is left out; ask for less, or raise archive.query_max_rows`;
    return { found: series, warnings: isCut ? [...answer.warnings, cut] : answer.warnings };
  }

  /** Ours, and what others wrote. */
  async #withOtel<Item>(
    ours: Promise<Archived<readonly Item[]>>,
    read: (otel: OtelMetrics, options: StatementOptions) => Promise<OtelFound<Item>>,
  ): Promise<Archived<readonly Item[]>> {
    const otel = this.#otel;
    if (otel === undefined) return ours;
    const nothing: OtelFound<Item> = { found: [], problems: [] };
    const [own, others] = await Promise.all([
      ours,
      this.#asking.answer(nothing, (options) => read(otel, options)),
    ]);
    const problems = others.found.problems.map((problem) => `archive: ${problem}`);
    return {
      found: [...own.found, ...others.found.found],
      warnings: [...own.warnings, ...others.warnings, ...problems],
    };
  }

  #ask<Found>(
    nothing: Found,
    read: (database: Database, options: StatementOptions) => Promise<Found>,
  ): Promise<Archived<Found>> {
    return this.#asking.answer(nothing, (options) =>
      this.#tables.use(() => read(this.#parts.database, options)),
    );
  }
}

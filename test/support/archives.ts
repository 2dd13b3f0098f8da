/** An archive as the program has it, and what a test puts into it and asks of it. */
import { Archive, type ArchiveParts } from '../../src/archive/archive.js';
import { ArchiveMeter } from '../../src/archive/meter.js';
import { type ArchiveOptions, DEFAULT_ARCHIVE_OPTIONS } from '../../src/archive/options.js';
import type { Database } from '../../src/clickhouse/database.js';
import { MemoryLog } from '../../src/journal/memory-log.js';
import type { ArchivedSeries, ArchiveFilter, ArchiveQuery } from '../../src/model/archive.js';
import { labelsToRecord } from '../../src/model/labels.js';
import { createMatcher } from '../../src/model/matcher.js';
import { systemClock } from '../../src/util/clock.js';
import { type Log, silentLog } from '../../src/util/log.js';
import { batchOf, type RowInput } from './batch.js';

interface Teardown {
  teardown(work: () => Promise<void>): unknown;
}

export const EVERYTHING: ArchiveFilter = {
  selectors: [],
  startMs: Number.NEGATIVE_INFINITY,
  endMs: Number.POSITIVE_INFINITY,
};

export interface OpenArchive {
  readonly archive: Archive;
  readonly meter: ArchiveMeter;
  readonly log: MemoryLog;
  append(rows: readonly RowInput[]): void;
}

/** Runs until the test is over, with everything kept for ever unless the options say otherwise. */
export function openArchive(
  t: Teardown,
  database: Database,
  options: Partial<ArchiveOptions> = {},
  parts: Partial<ArchiveParts> = {},
): OpenArchive {
  const log = new MemoryLog({ maxBytes: 1e9 });
  const meter = new ArchiveMeter();
  const archive = new Archive({
    options: { ...DEFAULT_ARCHIVE_OPTIONS, ttlMs: 0, ...options },
    database,
    reader: log.reader('archive'),
    traceIdLabels: ['trace_id', 'traceID'],
    storagePath: undefined,
    meter,
    clock: systemClock,
    log: silentLog,
    ...parts,
  });
  archive.start();
  t.teardown(() => archive.stop(1_000));
  return { archive, meter, log, append: (rows) => log.append(batchOf(rows)) };
}

/** All of it, unless said otherwise. */
export function archiveQuery(query: Partial<ArchiveQuery> = {}): ArchiveQuery {
  return {
    ...EVERYTHING,
    minValue: undefined,
    maxValue: undefined,
    order: 'asc',
    limit: undefined,
    need: { othersUntilMs: Number.POSITIVE_INFINITY, series: [] },
    ...query,
  };
}

/** `['job=a', 'path=~b.*']` as a selector. */
export function selector(...matchers: readonly string[]) {
  return matchers.map((text) => {
    const [, name, type, value] = /^(\w+)(=~|!~|!=|=)(.*)$/s.exec(text)!;
    return createMatcher(type as '=', name!, value!);
  });
}

/** As plain objects, sorted, each exemplar once: what a query would show. */
export function shown(found: readonly ArchivedSeries[]): object[] {
  const lines = found.flatMap(({ labels, exemplars }) =>
    exemplars.map(({ timestampMs, value, labels: exemplarLabels }) => ({
      series: labelsToRecord(labels),
      timestampMs,
      value,
      labels: labelsToRecord(exemplarLabels),
    })),
  );
  const byText = new Map(lines.map((line) => [JSON.stringify(line), line]));
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line);
}

export interface LogLine {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

/** A log that remembers. */
export function keepingLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), lines };
}

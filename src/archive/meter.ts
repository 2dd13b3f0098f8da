import type { DatabaseError } from '../clickhouse/database.js';
import type { SkipReason } from './row-writer.js';

const SKIP_REASONS: readonly SkipReason[] = ['expired', 'time_out_of_range'];

/** What the archive has done since the process began. It goes on when a reload makes another archive. */
export class ArchiveMeter {
  rows = 0;
  blocks = 0;
  bytes = 0;
  insertSeconds = 0;
  refusedRows = 0;
  readonly skippedRows = new Map<SkipReason, number>(SKIP_REASONS.map((reason) => [reason, 0]));
  /** By ClickHouse's number of the error, or `connection` where no engine answered. */
  readonly failures = new Map<string, number>();
  queries = 0;
  querySeconds = 0;
  queryFailures = 0;

  inserted(rows: number, bytes: number, seconds: number): void {
    this.rows += rows;
    this.bytes += bytes;
    this.blocks++;
    this.insertSeconds += seconds;
  }

  skipped(reason: SkipReason): void {
    this.skippedRows.set(reason, this.skippedRows.get(reason)! + 1);
  }

  refused(rows: number): void {
    this.refusedRows += rows;
  }

  failed({ code }: DatabaseError): void {
    const reason = code === undefined ? 'connection' : String(code);
    this.failures.set(reason, (this.failures.get(reason) ?? 0) + 1);
  }

  queried(seconds: number, isAnswered: boolean): void {
    this.queries++;
    this.querySeconds += seconds;
    if (!isAnswered) this.queryFailures++;
  }
}

import { type Database, rowsOf, type StatementOptions } from '../clickhouse/database.js';
import { type Labels, labelsFromPairs, METRIC_NAME } from '../model/labels.js';
import { EXEMPLARS_TABLE, SERIES_TABLE } from './schema.js';

/** Label sets that are kept; a dashboard asks for the same ones again and again. */
const MAX_KEPT = 50_000;
/** Series that one statement names. */
const MAX_NAMED = 10_000;

/** What a row says of its series: column `metric`, and `fp` as decimal digits. */
export interface SeriesKey {
  readonly metric: string;
  readonly fp: string;
}

interface LabelsRow extends SeriesKey {
  readonly series_labels: Readonly<Record<string, string>>;
}

/**
 * Label sets by fingerprint. They are not read with the exemplars: a map of a row's labels is more than half of what there
 * is to read of it, and is the same for all rows of a series.
 */
export class SeriesLabels {
  /** In the order of their last use. */
  readonly #kept = new Map<string, Labels>();

  /** By fingerprint. @throws {DatabaseError} */
  async of(
    database: Database,
    keys: readonly SeriesKey[],
    options: StatementOptions,
  ): Promise<ReadonlyMap<string, Labels>> {
    const found = new Map<string, Labels>();
    let unknown = keys.filter(({ fp }) => !this.#find(fp, found));
    // The second has them too, and takes longer: for series that the first has lost.
    for (const table of [SERIES_TABLE, EXEMPLARS_TABLE]) {
      for (let first = 0; first < unknown.length; first += MAX_NAMED)
        await this.#read(database, table, unknown.slice(first, first + MAX_NAMED), found, options);
      unknown = unknown.filter(({ fp }) => !found.has(fp));
    }
    return found;
  }

  #find(fp: string, found: Map<string, Labels>): boolean {
    const labels = this.#kept.get(fp);
    if (labels === undefined) return false;
    this.#keep(fp, labels);
    found.set(fp, labels);
    return true;
  }

  async #read(
    database: Database,
    table: string,
    keys: readonly SeriesKey[],
    found: Map<string, Labels>,
    options: StatementOptions,
  ): Promise<void> {
    const rows = await rowsOf<LabelsRow>(
      database,
      `SELECT metric, fp, any(labels) AS series_labels FROM ${table}
WHERE metric IN {metrics:Array(String)} AND fp IN {fps:Array(UInt64)} GROUP BY metric, fp`,
      {
        ...options,
        params: {
          metrics: [...new Set(keys.map(({ metric }) => metric))],
          fps: keys.map(({ fp }) => BigInt(fp)),
        },
      },
    );
    for (const { metric, fp, series_labels } of rows) {
      const labels = seriesLabels(metric, series_labels);
      found.set(fp, labels);
      this.#keep(fp, labels);
    }
  }

  #keep(fp: string, labels: Labels): void {
    this.#kept.delete(fp);
    this.#kept.set(fp, labels);
    if (this.#kept.size > MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
  }
}

export function seriesLabels(metric: string, labels: Readonly<Record<string, string>>): Labels {
  return labelsFromPairs([[METRIC_NAME, metric], ...Object.entries(labels)]);
}

import { type LabelColumns, labelSql, selectorsSql } from '../archive/selector-sql.js';
import { BoundValues } from '../clickhouse/bound-values.js';
import { type Database, rowsOf, type StatementOptions } from '../clickhouse/database.js';
import { type PolicyOptions, type SamplingJobOptions, UNGROUPED_LABELS } from './options.js';
import { endOf, type Window } from './window.js';

/** Series of a window that have the same values of the labels to group by. */
export interface Group {
  /** Hash of those values, whole: UInt64 in decimal. */
  readonly id: string;
  /** Long values cut: they are shown, and not compared. */
  readonly labels: Readonly<Record<string, string>>;
  readonly exemplars: number;
  /** Different ids among them. */
  readonly traces: number;
}

/** A trace that could stand for a group. */
export interface Candidate {
  readonly groupId: string;
  readonly traceId: string;
  /** 0 to 1, by the id alone; salted for `probabilistic`. */
  readonly hash: number;
  /** Highest of its exemplars in the group. */
  readonly value: number;
  /** When its first exemplar in the group was recorded. */
  readonly refMs: number;
  readonly service: string;
}

/** Which candidates of each group, in the order of the policy. */
export interface CandidateRange {
  readonly offset: number;
  readonly limit: number;
  /** Undefined: of all groups. */
  readonly groupIds?: readonly string[];
}

interface GroupRow {
  readonly id: string;
  readonly labels: Record<string, string>;
  readonly exemplars: string;
  readonly traces: string;
}

interface CandidateRow {
  readonly group_id: string;
  readonly id: string;
  readonly hash: number;
  readonly value: number | string;
  readonly ref_ms: string;
  readonly service: string;
}

const COLUMNS: LabelColumns = { metric: 'toString(exemplars.metric)', labels: 'exemplars.labels' };

/** Of a label's value in what is shown of a group. An exemplar's series may have one of a megabyte. */
const MAX_SHOWN_CHARACTERS = 256;

/** What no trace has as its id (W3C trace context, section 3.2.2.3). */
const NO_TRACE = '0'.repeat(32);

/** 2^64 as an exact double. */
const HASHES = 2 ** 64;

type CandidateOptions = Pick<SamplingJobOptions, 'selectors' | 'groupBy' | 'serviceLabels' | 'limits'>;

/** Asks the archive who could stand for which group of a window. Answers are bounded, and the same for the same rows. */
export class CandidateSource {
  readonly #database: Database;
  readonly #options: CandidateOptions;
  readonly #signal: AbortSignal | undefined;

  constructor(database: Database, options: CandidateOptions, signal?: AbortSignal) {
    this.#database = database;
    this.#options = options;
    this.#signal = signal;
  }

  /** One more than are allowed at most, so that it shows when some are left out. */
  groups(window: Window): Promise<Group[]> {
    const values = new BoundValues();
    const shown = `mapApply((k, v) -> (k, if(lengthUTF8(v) > ${MAX_SHOWN_CHARACTERS}, concat(substringUTF8(v, 1, ${MAX_SHOWN_CHARACTERS}), '…'), v)), any(group_labels))`;
    const sql = `SELECT group_id AS id, ${shown} AS labels, count() AS exemplars, uniqCombined64(17)(trace_id) AS traces
FROM (
  SELECT ${this.#groupLabels(values)} AS group_labels, ${groupIdSql} AS group_id, trace_id
  FROM ${this.#exemplarsSql(window, values)}
)
GROUP BY group_id ORDER BY group_id LIMIT ${values.count(this.#options.limits.groups + 1)}`;
    return this.#rows<GroupRow>(sql, values).then((rows) =>
      rows.map(({ id, labels, exemplars, traces }) => ({
        id,
        labels,
        exemplars: Number(exemplars),
        traces: Number(traces),
      })),
    );
  }

  /** Sorted by the order of the policy; of a group no trace twice. */
  async candidates(policy: PolicyOptions, window: Window, range: CandidateRange): Promise<Candidate[]> {
    const values = new BoundValues();
    const byChance = policy.type === 'probabilistic';
    const hash = byChance ? "sipHash64(concat('probabilistic ', trace_id))" : 'sipHash64(trace_id)';
    const grouped = byChance ? 'trace_id' : 'group_id, trace_id';
    const order = isByValue(policy) ? 'isNaN(value), value DESC, hashed, trace_id' : 'hashed, trace_id';
    const chosenGroups =
      range.groupIds === undefined ? '' : `WHERE group_id IN ${values.uint64s(range.groupIds)}`;
    const rate = byChance ? `HAVING hashed < ${values.uint64(threshold(policy.rate))}` : '';
    const perGroup = byChance
      ? ''
      : `LIMIT ${values.count(range.limit)} OFFSET ${values.count(range.offset)} BY group_id`;
    const sql = `SELECT group_id, trace_id AS id, hashed / ${HASHES} AS hash, value, toUnixTimestamp64Milli(first_ts) AS ref_ms, service FROM (
  SELECT ${byChance ? 'min(group_id) AS group_id, trace_id' : grouped}, ${hash} AS hashed, max(value) AS value, min(ts) AS first_ts, min(service) AS service
  FROM (
    SELECT ${this.#groupLabels(values)} AS group_labels, ${groupIdSql} AS group_id, trace_id, value, ts, ${this.#service(values)} AS service
    FROM ${this.#exemplarsSql(window, values, policy)}
  )
  ${chosenGroups}
  GROUP BY ${grouped} ${rate}
)
ORDER BY ${order} ${perGroup} LIMIT ${values.count(this.#options.limits.candidates)}`;
    const rows = await this.#rows<CandidateRow>(sql, values);
    return rows.map((row) => ({
      groupId: row.group_id,
      traceId: row.id,
      hash: row.hash,
      value: Number(row.value),
      refMs: Number(row.ref_ms),
      service: row.service,
    }));
  }

  /** Windows of a length that have any exemplar with a trace, of those between two times. */
  async busyWindows(startMs: number, endMs: number, lengthMs: number): Promise<Set<number>> {
    const values = new BoundValues();
    const span = { startMs, lengthMs: endMs - startMs };
    const slot = `intDiv(toUnixTimestamp64Milli(exemplars.ts), ${values.uint64(BigInt(lengthMs))})`;
    const sql = `SELECT DISTINCT ${slot} AS slot FROM ${this.#exemplarsSql(span, values)}`;
    const rows = await this.#rows<{ slot: string | number }>(sql, values);
    return new Set(rows.map(({ slot }) => Number(slot) * lengthMs));
  }

  #exemplarsSql(window: Window, values: BoundValues, policy?: PolicyOptions): string {
    return `exemplars
WHERE exemplars.ts >= ${values.time(window.startMs)} AND exemplars.ts < ${values.time(endOf(window))}
  AND exemplars.trace_id NOT IN ('', '${NO_TRACE}')
  AND (${selectorsSql(this.#options.selectors, values, COLUMNS)})
  AND (${selectorsSql(policy?.selectors ?? [], values, COLUMNS)})`;
  }

  /** A label that a series does not have is no part of its group's labels, as one with an empty value. */
  #groupLabels(values: BoundValues): string {
    const { groupBy } = this.#options;
    if (groupBy === undefined) {
      return `mapSort(mapFilter((k, v) -> NOT has(${values.texts(UNGROUPED_LABELS)}, k), exemplars.labels))`;
    }
    if (groupBy.length === 0) return "CAST(map(), 'Map(LowCardinality(String), String)')";
    const pairs = groupBy.map((name) => `${values.text(name)}, ${labelSql(name, values, COLUMNS)}`);
    return `mapFilter((k, v) -> v != '', map(${pairs.join(', ')}))`;
  }

  #service(values: BoundValues): string {
    const labels = this.#options.serviceLabels.map((name) => labelSql(name, values, COLUMNS));
    const cases = labels.map((label) => `${label} != '', ${label}`);
    return labels.length === 0 ? "''" : `multiIf(${cases.join(', ')}, '')`;
  }

  #rows<Row>(sql: string, values: BoundValues): Promise<Row[]> {
    return rowsOf<Row>(this.#database, sql, {
      ...statementOptions(this.#options.limits, this.#signal),
      params: values.params,
    });
  }
}

const groupIdSql = 'sipHash64(mapKeys(group_labels), mapValues(group_labels))';

export function statementOptions(
  { memoryBytes, statementMs }: SamplingJobOptions['limits'],
  signal: AbortSignal | undefined,
): StatementOptions {
  return {
    settings: { max_memory_usage: memoryBytes },
    timeoutMs: statementMs,
    ...(signal === undefined ? {} : { signal }),
  };
}

/** What failed and took longest is what somebody will look for. */
export function isByValue({ type }: PolicyOptions): boolean {
  return type === 'slowest' || type === 'errors';
}

/** Of 64-bit hashes, so many are below it. */
function threshold(rate: number): bigint {
  return rate >= 1 ? 2n ** 64n - 1n : BigInt(Math.floor(rate * HASHES));
}

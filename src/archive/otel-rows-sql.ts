/**
 * Exemplars of the OpenTelemetry exporter's tables as rows with the labels that Prometheus would give them. The text is
 * made of what stands here and of names of tables and columns from a fixed list; all else goes in as parameters.
 */
import type { OtelTable } from './otel-tables.js';

const TRACE_ID_DIGITS = 32;
const SPAN_ID_DIGITS = 16;

/** Placeholders of what is wanted. */
export interface WantedRows {
  /** Milliseconds, both ends inclusive. */
  readonly startMs: string;
  readonly endMs: string;
  /** Names of metrics, as the tables have them; undefined: all. */
  readonly names?: string;
  /** The id of a trace. */
  readonly traceId?: string;
}

/**
 * A point is written at the end of its interval, with the exemplars of it; clocks may differ. So far from an exemplar's
 * time its point is looked for: it keeps a query from reading every day there is.
 */
const POINT_DISTANCE_MS = 60 * 60_000;

/** Columns kind, name, unit, monotonic, metric_key: which metric it is. */
const METRIC_KEY = "concat(kind, '\\n', toString(monotonic), '\\n', unit, '\\n', name)";

/** Different lists of bounds that one metric may have. */
const MAX_BOUNDS = 10_000;

/** The metrics that have wanted exemplars, with all bounds of their buckets. */
export function metricsSql(tables: readonly OtelTable[], wanted: WantedRows): string {
  const boundsOf = ({ kind }: OtelTable) =>
    kind === 'histogram'
      ? `arrayMap(b -> toString(b), arrayDistinct(arrayFlatten(groupUniqArray(${MAX_BOUNDS})(ExplicitBounds))))`
      : '[]::Array(String)';
  const ofTable = (table: OtelTable) => `SELECT ${metricColumns(table)}, ${boundsOf(table)} AS bounds
FROM ${table.name} WHERE ${pointConditions(wanted).join(' AND ')} GROUP BY kind, name, unit, monotonic`;
  return tables.map(ofTable).join('\nUNION ALL\n');
}

/**
 * Columns kind, name, unit, monotonic, metric_key, labels, ms, value, trace_id, span_id, ex_labels.
 * @param bounds placeholder of the texts that bounds of buckets have in the engine
 * @param les placeholder of what they are as values of `le`
 */
export function exemplarRowsSql(
  tables: readonly OtelTable[],
  wanted: WantedRows,
  { bounds, les }: { readonly bounds: string; readonly les: string },
): string {
  const ofTable = (table: OtelTable) => `SELECT ${metricColumns(table)},
  ${namedPairs(pairsOf('Attributes', table.columns))} AS attributes,
  ${namedPairs(pairsOf('Exemplars.FilteredAttributes', table.columns, 'ex_attributes'))} AS filtered,
  ${jobSql(table)} AS job, ${resourceSql(table, 'service.instance.id')} AS instance,
  ${table.kind === 'histogram' ? leSql(bounds, les) : "''"} AS le,
  toUnixTimestamp64Milli(toDateTime64(ex_time, 9, 'UTC')) AS ms, toFloat64(ex_value) AS value,
  ${idSql('ex_trace', TRACE_ID_DIGITS)} AS trace_id, ${idSql('ex_span', SPAN_ID_DIGITS)} AS span_id
FROM ${table.name}
ARRAY JOIN Exemplars.TimeUnix AS ex_time, Exemplars.Value AS ex_value, Exemplars.TraceId AS ex_trace, Exemplars.SpanId AS ex_span${
    table.columns.has('Exemplars.FilteredAttributes') ? ', Exemplars.FilteredAttributes AS ex_attributes' : ''
  }
WHERE ${pointConditions(wanted).join(' AND ')} AND ms >= ${wanted.startMs} AND ms <= ${wanted.endMs}${
    wanted.traceId === undefined ? '' : ` AND trace_id = ${wanted.traceId}`
  }`;
  // What Prometheus sets itself comes after the attributes, and wins.
  const own = "mapFilter((k, v) -> v != '', map('job', job, 'instance', instance, 'le', le))";
  return `SELECT kind, name, unit, monotonic, ${METRIC_KEY} AS metric_key, ms, value, trace_id, span_id,
  mapUpdate(mapFilter((k, v) -> k != '__name__', ${joinedByName('attributes')}), ${own}) AS labels,
  ${joinedByName('filtered')} AS ex_labels
FROM (${tables.map(ofTable).join('\nUNION ALL\n')})`;
}

/** Of the bucket that the value falls in. */
function leSql(bounds: string, les: string): string {
  const bucket = 'arrayFirstIndex(b -> ex_value <= b, ExplicitBounds)';
  const text = `toString(ExplicitBounds[${bucket}])`;
  return `if(${bucket} = 0, '+Inf', ${les}[indexOf(${bounds}, ${text})])`;
}

function metricColumns({ kind, columns }: OtelTable): string {
  const unit = columns.has('MetricUnit') ? 'toString(MetricUnit)' : "''";
  const monotonic = columns.has('IsMonotonic') ? 'toUInt8(IsMonotonic)' : 'toUInt8(0)';
  return `'${kind}' AS kind, toString(MetricName) AS name, ${unit} AS unit, ${monotonic} AS monotonic`;
}

function pointConditions({ startMs, endMs, names, traceId }: WantedRows): string[] {
  const time = (text: string) => `fromUnixTimestamp64Milli(${text})`;
  return [
    'notEmpty(Exemplars.TimeUnix)',
    `TimeUnix >= ${time(`greatest(0, ${startMs} - ${POINT_DISTANCE_MS})`)}`,
    `TimeUnix <= ${time(`${endMs} + ${POINT_DISTANCE_MS}`)}`,
    ...(names === undefined ? [] : [`MetricName IN ${names}`]),
    ...(traceId === undefined
      ? []
      : [`arrayExists(t -> ${idSql('t', TRACE_ID_DIGITS)} = ${traceId}, Exemplars.TraceId)`]),
  ];
}

/** Of a map or a JSON column: `[(key, text), …]`. */
function pairsOf(column: string, columns: ReadonlyMap<string, string>, element = column): string {
  const type = columns.get(column);
  if (type === undefined) return '[]::Array(Tuple(String, String))';
  if (/\b(?:JSON|Object)\b/.test(type)) return jsonPairs(`toString(${element})`);
  const map = `${element}::Map(String, String)`;
  return `arrayZip(mapKeys(${map}), mapValues(${map}))`;
}

/** Names with dots are objects within objects there; deeper than this they stay JSON. */
const JSON_DEPTH = 6;

function jsonPairs(json: string): string {
  let pairs = `JSONExtractKeysAndValuesRaw(${json})`;
  for (let depth = 1; depth < JSON_DEPTH; depth++) {
    const inner = "arrayMap(q -> (concat(p.1, '.', q.1), q.2), JSONExtractKeysAndValuesRaw(p.2))";
    pairs = `arrayFlatten(arrayMap(p -> if(startsWith(p.2, '{'), ${inner}, [p]), ${pairs}))`;
  }
  return `arrayMap(p -> (p.1, if(startsWith(p.2, '"'), JSONExtractString(p.2), p.2)), ${pairs})`;
}

/** Under the names that labels may have, in the order of the attributes'. Empty ones are none. */
function namedPairs(pairs: string): string {
  const sorted = `arraySort(p -> p.1, arrayFilter(p -> p.1 != '' AND p.2 != '', ${pairs}))`;
  const plain = "replaceRegexpAll(p.1, '[^a-zA-Z0-9_]', '_')";
  const named = `multiIf(match(${plain}, '^[0-9]'), concat('key_', ${plain}), match(${plain}, '^_([^_]|$)'), concat('key', ${plain}), ${plain})`;
  return `arrayMap(p -> (${named}, p.2), ${sorted})`;
}

/** Attributes that come to one name are one label, with all their values. */
function joinedByName(pairs: string): string {
  const names = `arrayDistinct(arrayMap(p -> p.1, ${pairs}))`;
  const values = `arrayMap(n -> arrayStringConcat(arrayMap(p -> p.2, arrayFilter(p -> p.1 = n, ${pairs})), ';'), ${names})`;
  return `mapFromArrays(${names}, ${values})`;
}

function resourceSql({ columns }: OtelTable, name: string): string {
  const type = columns.get('ResourceAttributes');
  if (type === undefined) return "''";
  if (!/\b(?:JSON|Object)\b/.test(type)) return `ResourceAttributes['${name}']`;
  return `arrayFirst(p -> p.1 = '${name}', ${jsonPairs('toString(ResourceAttributes)')}).2`;
}

/** `<service.namespace>/<service.name>`, or the name alone. */
function jobSql(table: OtelTable): string {
  const attribute = resourceSql(table, 'service.name');
  const name = table.columns.has('ServiceName')
    ? `if(${attribute} != '', ${attribute}, toString(ServiceName))`
    : attribute;
  const namespace = resourceSql(table, 'service.namespace');
  return `multiIf(${name} = '', '', ${namespace} = '', ${name}, concat(${namespace}, '/', ${name}))`;
}

/** As `canonicalTraceId` has it; the exporter writes zeros where there is none. */
function idSql(id: string, digits: number): string {
  const hex = `lower(replaceAll(${id}, '-', ''))`;
  return `multiIf(match(${hex}, '^0*$'), '', match(${hex}, '^[0-9a-f]{1,${digits}}$'), leftPad(${hex}, ${digits}, '0'), ${id})`;
}

-- Tables of the archive, for a cluster, and those of the sampler. Written by `npm run ddl` from src/archive/schema.ts; see README.md.
-- Macros {cluster}, {shard} and {replica} are those of the servers. Not run by the tests: they have no cluster, and only parse it.
-- clickhouse-client --database otel --multiquery < this file
-- Change the time to live (2592000 s, 30 days) here and `archive.ttl` alike; series live a day longer.

CREATE TABLE IF NOT EXISTS exemplars_local ON CLUSTER '{cluster}' (
  metric LowCardinality(String),
  fp UInt64 CODEC(ZSTD(1)),
  labels Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ts DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  value Float64 CODEC(ZSTD(1)),
  trace_id String CODEC(ZSTD(1)),
  span_id String CODEC(ZSTD(1)),
  trace_label LowCardinality(String),
  span_label LowCardinality(String),
  ex_labels Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  announces UInt8 CODEC(ZSTD(1)),
  INDEX trace_id_index trace_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(ts)
PRIMARY KEY (metric, fp, ts)
ORDER BY (metric, fp, ts, trace_id, span_id, value, trace_label, span_label, sipHash64(ex_labels))
SETTINGS ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS exemplars ON CLUSTER '{cluster}' AS exemplars_local
ENGINE = Distributed('{cluster}', currentDatabase(), exemplars_local, fp);

CREATE TABLE IF NOT EXISTS exemplar_series_local ON CLUSTER '{cluster}' (
  metric LowCardinality(String),
  fp UInt64,
  day Date,
  labels Map(LowCardinality(String), String)
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toYYYYMM(day)
ORDER BY (metric, day, fp);

CREATE TABLE IF NOT EXISTS exemplar_series ON CLUSTER '{cluster}' AS exemplar_series_local
ENGINE = Distributed('{cluster}', currentDatabase(), exemplar_series_local, fp);

CREATE MATERIALIZED VIEW IF NOT EXISTS exemplar_series_view ON CLUSTER '{cluster}' TO exemplar_series_local AS
SELECT metric, fp, toDate(ts) AS day, labels FROM exemplars_local WHERE announces = 1;

ALTER TABLE exemplars_local ON CLUSTER '{cluster}' MODIFY TTL toDateTime(ts) + toIntervalSecond(2592000);

ALTER TABLE exemplar_series_local ON CLUSTER '{cluster}' MODIFY TTL toDateTime(day) + toIntervalSecond(2678400);

CREATE TABLE IF NOT EXISTS trace_keep_local ON CLUSTER '{cluster}' (
  trace_id String,
  job LowCardinality(String),
  window_start DateTime64(3, 'UTC'),
  window_ms UInt64,
  reasons Array(LowCardinality(String)),
  rate Float64,
  group_labels Map(LowCardinality(String), String),
  group_ids Array(UInt64),
  service LowCardinality(String),
  value Float64,
  ref_ts DateTime64(3, 'UTC'),
  found Bool,
  priority UInt32,
  note String,
  decided_at DateTime64(3, 'UTC'),
  version UInt64,
  INDEX trace_id_index trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX decided_at_index decided_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', version)
PARTITION BY toYYYYMM(window_start)
ORDER BY (window_start, job, trace_id)
TTL toDateTime(window_start) + toIntervalDay(400)
SETTINGS ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS trace_keep ON CLUSTER '{cluster}' AS trace_keep_local
ENGINE = Distributed('{cluster}', currentDatabase(), trace_keep_local, sipHash64(trace_id));

CREATE TABLE IF NOT EXISTS sampler_windows_local ON CLUSTER '{cluster}' (
  job LowCardinality(String),
  window_start DateTime64(3, 'UTC'),
  window_ms UInt64,
  stage UInt16,
  exemplars UInt64,
  groups UInt32,
  covered UInt32,
  chosen UInt32,
  found UInt32,
  missing UInt32,
  spans UInt64,
  late_spans UInt64,
  source_spans UInt64,
  updated_at DateTime64(3, 'UTC')
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', stage)
PARTITION BY toYYYYMM(window_start)
ORDER BY (job, window_start, window_ms)
TTL toDateTime(window_start) + toIntervalDay(40);

CREATE TABLE IF NOT EXISTS sampler_windows ON CLUSTER '{cluster}' AS sampler_windows_local
ENGINE = Distributed('{cluster}', currentDatabase(), sampler_windows_local, sipHash64(job));

CREATE TABLE IF NOT EXISTS sampler_spans_local ON CLUSTER '{cluster}' (
  job LowCardinality(String),
  day Date,
  entry String,
  spans UInt64,
  version UInt64
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', version)
PARTITION BY toYYYYMM(day)
ORDER BY (job, day, entry)
TTL day + toIntervalDay(40);

CREATE TABLE IF NOT EXISTS sampler_spans ON CLUSTER '{cluster}' AS sampler_spans_local
ENGINE = Distributed('{cluster}', currentDatabase(), sampler_spans_local, sipHash64(job));

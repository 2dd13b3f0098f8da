-- What the sampler needs where somebody else owns users and tables (create_schema: false). docs/sampling.md tells what
-- the tables are for. Replace `otel` by your database; on a cluster add ON CLUSTER and Replicated engines, with a
-- Distributed table of the name below before each.

-- 1. Rights, the least that will do. With create_schema: true also CREATE TABLE, ALTER TABLE on otel.*
CREATE USER IF NOT EXISTS exemplard_sampler IDENTIFIED WITH sha256_password BY 'change me';
GRANT SELECT ON otel.exemplars TO exemplard_sampler;
GRANT SELECT ON otel.otel_traces TO exemplard_sampler;
GRANT SELECT ON otel.otel_traces_trace_id_ts TO exemplard_sampler;
GRANT SELECT, INSERT ON otel.otel_traces_kept TO exemplard_sampler;
GRANT SELECT, INSERT ON otel.trace_keep TO exemplard_sampler;
GRANT SELECT, INSERT ON otel.sampler_windows TO exemplard_sampler;
GRANT SELECT, INSERT ON otel.sampler_spans TO exemplard_sampler;

-- 2. The sampler's own tables.
CREATE TABLE IF NOT EXISTS otel.trace_keep (
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
) ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(window_start) ORDER BY (window_start, job, trace_id)
TTL toDateTime(window_start) + toIntervalDay(400) SETTINGS ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS otel.sampler_windows (
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
) ENGINE = ReplacingMergeTree(stage)
PARTITION BY toYYYYMM(window_start) ORDER BY (job, window_start, window_ms)
TTL toDateTime(window_start) + toIntervalDay(40);

CREATE TABLE IF NOT EXISTS otel.sampler_spans (
  job LowCardinality(String),
  day Date,
  entry String,
  spans UInt64,
  version UInt64
) ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day) ORDER BY (job, day, entry)
TTL day + toIntervalDay(40);

-- 3. Kept spans: the columns of the source, found by trace id. 37 to 57 bytes a span were measured; weeks are dropped whole.
CREATE TABLE IF NOT EXISTS otel.otel_traces_kept AS otel.otel_traces
ENGINE = ReplacingMergeTree
PARTITION BY toMonday(Timestamp) PRIMARY KEY TraceId ORDER BY (TraceId, SpanId)
TTL toDateTime(Timestamp) + toIntervalDay(180) SETTINGS ttl_only_drop_parts = 1;

-- Tables of the archive, for one server. Written by `npm run ddl` from src/archive/schema.ts; see README.md.
-- clickhouse-client --database otel --multiquery < this file
-- Change the time to live (2592000 s, 30 days) here and `archive.ttl` alike; series live a day longer.

CREATE TABLE IF NOT EXISTS exemplars (
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
ENGINE = ReplacingMergeTree
PARTITION BY toDate(ts)
PRIMARY KEY (metric, fp, ts)
ORDER BY (metric, fp, ts, trace_id, span_id, value, trace_label, span_label, sipHash64(ex_labels))
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS exemplar_series (
  metric LowCardinality(String),
  fp UInt64,
  day Date,
  labels Map(LowCardinality(String), String)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (metric, day, fp)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS exemplar_series_view TO exemplar_series AS
SELECT metric, fp, toDate(ts) AS day, labels FROM exemplars WHERE announces = 1;

ALTER TABLE exemplars MODIFY TTL toDateTime(ts) + toIntervalSecond(2592000);

ALTER TABLE exemplar_series MODIFY TTL toDateTime(day) + toIntervalSecond(2678400);

-- Users with the least rights that will do, for database `otel`. Passwords are read by `archive.password_file`.
-- On a cluster: ON CLUSTER '{cluster}' behind each name, and the grants for it at the end.

-- Settings go with every statement, so nobody may have `readonly = 1`; 2 allows settings, and no writing.
CREATE SETTINGS PROFILE IF NOT EXISTS exemplard_reader_profile SETTINGS readonly = 2, max_execution_time = 30, max_memory_usage = 2000000000;

-- 1. exemplard itself, which makes and migrates its tables (create_schema: true).
CREATE USER IF NOT EXISTS exemplard IDENTIFIED WITH sha256_password BY 'change me';
GRANT CREATE TABLE, CREATE VIEW, ALTER TTL, SHOW TABLES, SHOW COLUMNS, SELECT, INSERT ON otel.* TO exemplard;
GRANT SELECT ON system.columns TO exemplard;
GRANT SELECT ON system.tables TO exemplard;
GRANT SELECT ON system.parts TO exemplard;
GRANT SELECT ON system.detached_parts TO exemplard;
GRANT SELECT ON system.disks TO exemplard;

-- 2. exemplard where somebody else made archive.sql (create_schema: false).
CREATE USER IF NOT EXISTS exemplard_writer IDENTIFIED WITH sha256_password BY 'change me';
GRANT SHOW TABLES, SHOW COLUMNS, SELECT, INSERT ON otel.exemplars TO exemplard_writer;
GRANT SHOW TABLES, SHOW COLUMNS, SELECT ON otel.exemplar_series TO exemplard_writer;
GRANT SELECT ON system.columns TO exemplard_writer;
GRANT SELECT ON system.tables TO exemplard_writer;
GRANT SELECT ON system.parts TO exemplard_writer;
GRANT SELECT ON system.detached_parts TO exemplard_writer;
GRANT SELECT ON system.disks TO exemplard_writer;
-- With archive.otel_metrics_tables: true.
GRANT SHOW COLUMNS, SELECT ON otel.otel_metrics_gauge TO exemplard_writer;
GRANT SHOW COLUMNS, SELECT ON otel.otel_metrics_sum TO exemplard_writer;
GRANT SHOW COLUMNS, SELECT ON otel.otel_metrics_histogram TO exemplard_writer;
GRANT SHOW COLUMNS, SELECT ON otel.otel_metrics_exponential_histogram TO exemplard_writer;

-- 3. People and dashboards that ask ClickHouse itself.
CREATE USER IF NOT EXISTS exemplard_reader IDENTIFIED WITH sha256_password BY 'change me' SETTINGS PROFILE exemplard_reader_profile;
GRANT SELECT ON otel.exemplars TO exemplard_reader;
GRANT SELECT ON otel.exemplar_series TO exemplard_reader;

-- 4. The sampler, where it has a server of its own or the archive's: sampler.sql.

-- On a cluster, for DDL on all nodes (1 only), and for sizes of all shards: `cluster(…, system.parts)`.
GRANT CLUSTER ON *.* TO exemplard;
GRANT REMOTE, CREATE TEMPORARY TABLE ON *.* TO exemplard;
GRANT REMOTE, CREATE TEMPORARY TABLE ON *.* TO exemplard_writer;

/**
 * Tables as they are written down once and made everywhere: as they are in the embedded engine and on one server; on a
 * cluster as a replicated `<name>_local` on every node, and a distributed `<name>` before them.
 */

/** Where tables are made. */
export interface Placement {
  /** Of `ON CLUSTER`; undefined: one engine. */
  readonly cluster: string | undefined;
}

export interface TableDefinition {
  readonly name: string;
  /** `name Type CODEC(…)`, indexes too, one a line. */
  readonly columns: readonly string[];
  /** Of the MergeTree family, with its arguments: `ReplacingMergeTree(version)`. */
  readonly engine: string;
  /** `PARTITION BY … ORDER BY … TTL …` */
  readonly layout: string;
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Settings for one engine alone: a replicated table has its own words for them. */
  readonly unreplicatedSettings?: Readonly<Record<string, string | number>>;
  /** Expression by which rows go to shards. Rows that replace one another must go to the same. */
  readonly shardBy: string;
}

export interface ViewDefinition {
  readonly name: string;
  /** Names of tables, without `_local`. */
  readonly from: string;
  readonly to: string;
  /** A SELECT in which `{from}` stands for the table. */
  readonly select: string;
}

/** The table that holds rows: the one to ALTER. */
export function storedTable(name: string, { cluster }: Placement): string {
  return cluster === undefined ? name : `${name}_local`;
}

/** What follows the name in DDL: `ON CLUSTER …` or nothing. */
export function onCluster({ cluster }: Placement): string {
  return cluster === undefined ? '' : ` ON CLUSTER ${quoted(cluster)}`;
}

export function createTable(table: TableDefinition, placement: Placement): string[] {
  const { name, columns, engine, layout, settings = {}, unreplicatedSettings = {}, shardBy } = table;
  const { cluster } = placement;
  const isSingle = cluster === undefined;
  const allSettings = Object.entries({ ...settings, ...(isSingle ? unreplicatedSettings : {}) });
  const local =
    `CREATE TABLE IF NOT EXISTS ${storedTable(name, placement)}${onCluster(placement)} (\n  ${columns.join(',\n  ')}\n)` +
    `\nENGINE = ${isSingle ? engine : replicated(engine)}\n${layout}` +
    (allSettings.length === 0
      ? ''
      : `\nSETTINGS ${allSettings.map(([key, value]) => `${key} = ${value}`).join(', ')}`);
  if (isSingle) return [local];
  const distributed =
    `CREATE TABLE IF NOT EXISTS ${name}${onCluster(placement)} AS ${storedTable(name, placement)}` +
    `\nENGINE = Distributed(${quoted(cluster)}, currentDatabase(), ${storedTable(name, placement)}, ${shardBy})`;
  return [local, distributed];
}

export function createView(view: ViewDefinition, placement: Placement): string {
  const from = storedTable(view.from, placement);
  return (
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${view.name}${onCluster(placement)} TO ${storedTable(view.to, placement)}` +
    ` AS\n${view.select.replaceAll('{from}', from)}`
  );
}

/** Every replica of a shard has the same path. */
function replicated(engine: string): string {
  const [, name, args] = /^(\w+)(?:\((.*)\))?$/.exec(engine)!;
  const path = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'";
  return `Replicated${name}(${path}${args ? `, ${args}` : ''})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

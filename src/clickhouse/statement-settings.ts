/** Settings of single statements: which inserts always have, and what a value may look like. */

export type Settings = Readonly<Record<string, string | number>>;

/**
 * Of every insert. Blocks are made by us, so the engine is neither to collect them (`async_insert`) nor to merge rows
 * within one (`optimize_on_insert`: twice as slow). One thread reads the rows, so that the row an error names is
 * counted from the block's first. Floats are read as they were written, to the last bit.
 */
const INSERT_SETTINGS: Settings = {
  async_insert: 0,
  insert_deduplicate: 1,
  optimize_on_insert: 0,
  input_format_parallel_parsing: 0,
  input_format_skip_unknown_fields: 1,
  date_time_input_format: 'best_effort',
  precise_float_parsing: 1,
};

/** 64-bit integers and what JSON has no number for come as strings. */
export const QUERY_SETTINGS: Settings = {
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_denormals: 1,
};

export function insertSettings(token: string | undefined, settings: Settings | undefined): Settings {
  return {
    ...INSERT_SETTINGS,
    ...(token === undefined ? {} : { insert_deduplication_token: token }),
    ...settings,
  };
}

const NAME = /^[a-z][a-z0-9_]*$/;
/** What needs no quoting in SQL, nor in a URL. Tokens of inserts are of this kind, too. */
const PLAIN_VALUE = /^[\w.:/+=-]*$/;

/** @throws TypeError where a name or a value is not plain: settings are the program's, never a user's text */
export function checkSettings(settings: Settings): void {
  for (const [name, value] of Object.entries(settings)) {
    const isPlain = typeof value === 'number' ? Number.isFinite(value) : PLAIN_VALUE.test(value);
    if (!NAME.test(name) || !isPlain)
      throw new TypeError(`not a setting: ${JSON.stringify(name)} = ${JSON.stringify(value)}`);
  }
}

const TABLE = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?$/;

/** @throws TypeError where it is no plain name of a table, with its database or without */
export function checkTable(table: string): void {
  if (!TABLE.test(table)) throw new TypeError(`not a table: ${JSON.stringify(table)}`);
}

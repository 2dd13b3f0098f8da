/** Names of tables and columns in SQL. They come from the configuration and from the database itself. */

const TABLE = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?$/;

/** `table` or `database.table`, of letters, digits and `_`. */
export function isTableName(text: string): boolean {
  return TABLE.test(text);
}

/** `a.b` → `` `a`.`b` ``. @throws TypeError where `isTableName` says no */
export function quoteTable(name: string): string {
  if (!isTableName(name)) throw new TypeError(`not a table: ${JSON.stringify(name)}`);
  return name.split('.').map(quoteColumn).join('.');
}

/** Of a column, dots included, as nested ones have them. */
export function quoteColumn(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}

const NEWLINE = 0x0a;
const EMPTY_LINE = Buffer.from('\n\n');

/**
 * chDB takes an empty line for the end of an insert's rows, and runs what follows as SQL. `JSON.stringify` never leaves
 * a line break in a row, so there is none unless somebody let foreign bytes through: a fault of the program.
 * @throws Error
 */
export function assertNoEmptyLine(lines: Buffer): void {
  if (lines[0] === NEWLINE || lines.includes(EMPTY_LINE))
    throw new Error('rows to insert have an empty line');
  // What looks like SQL on a line of its own is read as a row, and refused. Other line breaks are none to the engine.
  if (lines.length > 0 && lines[lines.length - 1] !== NEWLINE)
    throw new Error('the last row to insert has no end');
}

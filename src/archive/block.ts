import { createHash } from 'node:crypto';
import type { RowBlock } from '../clickhouse/database.js';
import { EXEMPLARS_TABLE } from './schema.js';

const NEWLINE = 0x0a;
const TOKEN_DIGITS = 32;

/** Rows as lines, with a name that stands for just these bytes. */
export function blockOf(lines: Buffer, rows: number): RowBlock {
  const builder = new BlockBuilder();
  builder.add(lines, rows);
  return builder.block;
}

/** Puts a block together from pieces, so that no step of it takes long. */
export class BlockBuilder {
  readonly #pieces: Buffer[] = [];
  readonly #hash = createHash('sha256');
  #rows = 0;

  add(lines: Buffer, rows: number): void {
    this.#pieces.push(lines);
    this.#hash.update(lines);
    this.#rows += rows;
  }

  /** Once. */
  get block(): RowBlock {
    const token = this.#hash.digest('hex').slice(0, TOKEN_DIGITS);
    const lines = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    return { table: EXEMPLARS_TABLE, lines, rows: this.#rows, token };
  }
}

/** A row, from 1, and the rows before and after it. */
export function withoutRow(
  block: RowBlock,
  row: number,
): { readonly line: string; readonly rest: readonly RowBlock[] } {
  const start = lineStart(block.lines, row - 1);
  const end = lineStart(block.lines, row);
  const others = Buffer.concat([block.lines.subarray(0, start), block.lines.subarray(end)]);
  return {
    line: block.lines.toString('utf8', start, end).trimEnd(),
    rest: block.rows === 1 ? [] : [blockOf(others, block.rows - 1)],
  };
}

/** Of two rows and more. */
export function halves(block: RowBlock): readonly [RowBlock, RowBlock] {
  const rows = block.rows >> 1;
  const middle = lineStart(block.lines, rows);
  return [
    blockOf(block.lines.subarray(0, middle), rows),
    blockOf(block.lines.subarray(middle), block.rows - rows),
  ];
}

/** Where the line after so many begins. */
function lineStart(lines: Buffer, count: number): number {
  let at = 0;
  for (let i = 0; i < count; i++) at = lines.indexOf(NEWLINE, at) + 1;
  return at;
}

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** Numbers stand under each other by their last digit. */
  readonly align?: 'left' | 'right';
}

const GAP = '  ';

/** Aligned columns under their titles, a line each, line feeds included. */
export function textTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = columns.map(({ title, cell }) => [title, ...rows.map(cell)]);
  const widths = cells.map((column) => column.reduce((widest, text) => Math.max(widest, widthOf(text)), 0));
  const lines = ['', ...rows].map((_, line) =>
    columns
      .map(({ align }, i) => pad(cells[i]![line]!, widths[i]!, align ?? 'left'))
      .join(GAP)
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(width - widthOf(text));
  return align === 'left' ? text + space : space + text;
}

function widthOf(text: string): number {
  return [...text].length;
}

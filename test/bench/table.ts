/** One line of the result. Smaller is better. */
export interface Measured {
  readonly what: string;
  readonly unit: string;
  /** Undefined where Prometheus is not installed. */
  readonly prometheus: number | undefined;
  readonly exemplard: number;
  /** `exemplard / prometheus` should be at most this … */
  readonly maxRatio?: number;
  /** … or exemplard's figure at most this. */
  readonly maxValue?: number;
}

const HEADINGS = ['what', 'Prometheus 2.42', 'exemplard', 'ratio', 'to reach', ''];

export function printTable(rows: readonly Measured[]): void {
  const cells = [HEADINGS, ...rows.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  for (const row of cells) {
    console.log(
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  ')
        .trimEnd(),
    );
  }
}

function cellsOf(row: Measured): string[] {
  const ratio = row.prometheus === undefined ? Number.NaN : row.exemplard / row.prometheus;
  return [
    row.what,
    row.prometheus === undefined ? 'not installed' : `${format(row.prometheus)} ${row.unit}`,
    `${format(row.exemplard)} ${row.unit}`,
    Number.isNaN(ratio) ? '' : ratio.toFixed(3),
    ...goalOf(row, ratio),
  ];
}

/** What is to be reached, and whether it was: two empty cells where there is no goal, one where it cannot be told. */
function goalOf({ maxRatio, maxValue, exemplard, unit }: Measured, ratio: number): [string, string] {
  const verdict = (isReached: boolean) => (isReached ? 'reached' : 'MISSED');
  if (maxRatio !== undefined)
    return [`≤ ${maxRatio.toFixed(3)}`, Number.isNaN(ratio) ? '' : verdict(ratio <= maxRatio)];
  return maxValue === undefined ? ['', ''] : [`≤ ${maxValue} ${unit}`, verdict(exemplard <= maxValue)];
}

function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

import { useMemo } from 'preact/hooks';
import { counted, formatNumber } from '../format/number.js';
import { formatDateTime, formatIso } from '../format/time.js';
import { type Column, DataTable } from '../parts/data-table.js';
import type { Sort } from './explore-state.js';
import { isSamePoint, type LabelSummary, labelOf, type Point } from './points.js';
import { sortPoints } from './sort-points.js';

export interface PointsTableProps {
  /** In the order of time. */
  readonly points: readonly Point[];
  readonly labels: readonly LabelSummary[];
  /** Names of labels. */
  readonly columns: readonly string[];
  readonly onColumns: (columns: readonly string[]) => void;
  readonly sort: Sort;
  readonly onSort: (sort: Sort) => void;
  readonly selected: Point | undefined;
  readonly onOpen: (point: Point) => void;
}

/** The points of the chart, to read and to sort. */
export function PointsTable(props: PointsTableProps) {
  const { points, labels, columns, onColumns, sort, onSort, selected, onOpen } = props;
  const rows = useMemo(() => sortPoints(points, sort), [points, sort.column, sort.isDescending]);
  const shownColumns = useMemo(
    () => [TIME, VALUE, ...columns.map(labelColumn), SOURCE],
    [JSON.stringify(columns)],
  );
  return (
    <section class="points-table">
      <header>
        <h2>{counted(points.length, 'exemplar')}</h2>
        <ColumnChoice labels={labels} columns={columns} onColumns={onColumns} />
      </header>
      <DataTable
        caption="Exemplars"
        columns={shownColumns}
        rowCount={rows.length}
        rowAt={(index) => points[rows[index]!]!}
        sort={sort}
        onSort={onSort}
        onOpen={onOpen}
        isSelected={(point) => selected !== undefined && isSamePoint(point, selected)}
      />
    </section>
  );
}

const TIME: Column<Point> = {
  id: 'time',
  title: 'Time',
  width: 196,
  isSortable: true,
  cell: ({ timeMs }) => formatDateTime(timeMs),
  hint: ({ timeMs }) => formatIso(timeMs),
};
const VALUE: Column<Point> = {
  id: 'value',
  title: 'Value',
  width: 96,
  isNumeric: true,
  isSortable: true,
  cell: ({ value }) => formatNumber(value),
  hint: ({ valueText }) => valueText,
};
const SOURCE: Column<Point> = {
  id: 'source',
  title: 'Held in',
  width: 84,
  isSortable: true,
  cell: ({ source }) => source,
};

function labelColumn(name: string): Column<Point> {
  return {
    id: `label:${name}`,
    title: name,
    width: widthFor(name),
    isSortable: true,
    cell: (point) => labelOf(point, name),
    hint: (point) => labelOf(point, name),
  };
}

/** Ids of traces and spans are read as a whole. */
function widthFor(name: string): number {
  if (/trace/i.test(name)) return 296;
  return /span/i.test(name) ? 170 : 150;
}

interface ColumnChoiceProps {
  readonly labels: readonly LabelSummary[];
  readonly columns: readonly string[];
  readonly onColumns: (columns: readonly string[]) => void;
}

function ColumnChoice({ labels, columns, onColumns }: ColumnChoiceProps) {
  const toggle = (name: string) =>
    onColumns(columns.includes(name) ? columns.filter((each) => each !== name) : [...columns, name]);
  return (
    <details class="column-choice">
      <summary>Columns</summary>
      <fieldset>
        <legend class="off-screen">Labels shown as columns</legend>
        {labels.map(({ name, isVarying }) => (
          <label key={name}>
            <input type="checkbox" checked={columns.includes(name)} onChange={() => toggle(name)} />
            <span>{name}</span>
            {!isVarying && <span class="hint">always the same</span>}
          </label>
        ))}
      </fieldset>
    </details>
  );
}

const MAX_COLUMNS = 6;

/** Where nobody chose: labels of exemplars, and those of series that tell them apart. */
export function suitableColumns(labels: readonly LabelSummary[]): string[] {
  const ofExemplars = labels.filter(({ isOfSeries }) => !isOfSeries).sort((a, b) => rank(b) - rank(a));
  const ofSeries = labels.filter(({ isOfSeries, isVarying }) => isOfSeries && isVarying);
  return [...ofExemplars.slice(0, 2), ...ofSeries].slice(0, MAX_COLUMNS).map(({ name }) => name);
}

const rank = ({ name }: LabelSummary) => Number(/trace/i.test(name));

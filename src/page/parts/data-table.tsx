import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { TableSort } from './table-sort.js';

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  /** CSS pixels. */
  readonly width: number;
  readonly isNumeric?: boolean;
  /** Without it, its header is no button. */
  readonly isSortable?: boolean;
  readonly cell: (row: Row) => ComponentChildren;
  /** In full, where the cell may be cut. */
  readonly hint?: (row: Row) => string;
}

export interface DataTableProps<Row> {
  /** For those who hear the page. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rowCount: number;
  /** Asked only for rows in sight. */
  readonly rowAt: (index: number) => Row;
  readonly sort?: TableSort;
  readonly onSort?: (sort: TableSort) => void;
  /** Rows can be opened: by a click, or by the button that the first cell then is. */
  readonly onOpen?: (row: Row) => void;
  readonly isSelected?: (row: Row) => boolean;
}

/** As in the style sheet. */
const ROW_HEIGHT = 28;
const ROWS_BEYOND = 12;

/** A table of any length: only the rows in sight are in the document. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { caption, columns, rowCount, rowAt, sort, onSort } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 400 });
  useLayoutEffect(() => {
    const element = box.current!;
    const look = () => setView({ top: element.scrollTop, height: element.clientHeight });
    look();
    element.addEventListener('scroll', look, { passive: true });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => {
      element.removeEventListener('scroll', look);
      observer.disconnect();
    };
  }, []);
  const inSight = Math.ceil(view.height / ROW_HEIGHT) + 2 * ROWS_BEYOND;
  const first = Math.max(
    0,
    Math.min(Math.floor(view.top / ROW_HEIGHT) - ROWS_BEYOND, Math.max(0, rowCount - inSight)),
  );
  const last = Math.min(rowCount, first + inSight);
  const indices = Array.from({ length: last - first }, (_, offset) => first + offset);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be in reach of the keyboard
    <section class="table-box" ref={box} tabIndex={0} aria-label={caption}>
      <table aria-rowcount={rowCount + 1} style={{ minWidth: `${widthOf(columns)}px` }}>
        <caption class="off-screen">{caption}</caption>
        <colgroup>
          {columns.map(({ id, width }) => (
            <col key={id} style={{ width: `${width}px` }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Header key={column.id} column={column} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          <Spacer rows={first} span={columns.length} />
          {indices.map((index) => (
            <TableRow key={index} index={index} row={rowAt(index)} {...props} />
          ))}
          <Spacer rows={rowCount - last} span={columns.length} />
        </tbody>
      </table>
    </section>
  );
}

function widthOf(columns: readonly { readonly width: number }[]): number {
  return columns.reduce((sum, { width }) => sum + width, 0);
}

interface HeaderProps<Row> {
  readonly column: Column<Row>;
  readonly sort: TableSort | undefined;
  readonly onSort: ((sort: TableSort) => void) | undefined;
}

function Header<Row>({ column, sort, onSort }: HeaderProps<Row>) {
  const isSorted = sort?.column === column.id;
  const isDescending = isSorted && sort.isDescending;
  const cellClass = column.isNumeric ? 'numeric' : undefined;
  if (!column.isSortable || onSort === undefined) {
    return (
      <th scope="col" class={cellClass} title={column.title}>
        {column.title}
      </th>
    );
  }
  return (
    <th
      scope="col"
      class={cellClass}
      aria-sort={isSorted ? (isDescending ? 'descending' : 'ascending') : 'none'}
    >
      <button
        type="button"
        title={column.title}
        onClick={() => onSort({ column: column.id, isDescending: isSorted ? !isDescending : true })}
      >
        <span class="title">{column.title}</span>
        {isSorted && (
          <span class="arrow" aria-hidden="true">
            {isDescending ? '▼' : '▲'}
          </span>
        )}
      </button>
    </th>
  );
}

function TableRow<Row>({
  index,
  row,
  columns,
  onOpen,
  isSelected,
}: DataTableProps<Row> & { index: number; row: Row }) {
  const open = onOpen && (() => onOpen(row));
  return (
    <tr
      aria-rowindex={index + 2}
      class={isSelected?.(row) ? 'selected' : undefined}
      {...(open && { onClick: open, 'data-opens': true })}
    >
      {columns.map(({ id, isNumeric, cell, hint }, place) => (
        <td key={id} class={isNumeric ? 'numeric' : undefined} title={hint?.(row)}>
          {open !== undefined && place === 0 ? (
            <button type="button" class="opener">
              {cell(row)}
            </button>
          ) : (
            cell(row)
          )}
        </td>
      ))}
    </tr>
  );
}

/** Stands for the rows out of sight. */
function Spacer({ rows, span }: { rows: number; span: number }) {
  if (rows <= 0) return null;
  return (
    <tr class="spacer">
      <td colSpan={span} style={{ height: `${rows * ROW_HEIGHT}px` }} />
    </tr>
  );
}

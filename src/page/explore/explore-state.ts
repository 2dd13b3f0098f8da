import { AddressReader, oneOf } from '../address-reader.js';
import { formatFilter, type LabelFilter, parseFilter } from './label-filter.js';
import { DEFAULT_RANGE, parseRange, rangeParameters, type TimeRange } from './time-range.js';

/** All of a view that a shared URL brings along. */
export interface ExploreState {
  /** PromQL; empty before the first query. */
  readonly query: string;
  readonly range: TimeRange;
  readonly isLive: boolean;
  /** Exemplars asked for at most, the newest first. */
  readonly limit: number;
  readonly source: SourceChoice;
  /** A label; empty: one colour for all; undefined: what suits the answer. */
  readonly colorBy: string | undefined;
  readonly axis: Axis;
  readonly minValue: number | undefined;
  readonly maxValue: number | undefined;
  readonly filters: readonly LabelFilter[];
  /** Groups of the legend that are switched off, by key. */
  readonly hidden: readonly string[];
  readonly sort: Sort;
  /** Label columns of the table; undefined: what suits the answer. */
  readonly columns: readonly string[] | undefined;
  /** All exemplars of this trace are listed. */
  readonly trace: string | undefined;
}

export const SOURCES = ['all', 'memory', 'archive'] as const;
export type SourceChoice = (typeof SOURCES)[number];
export const AXES = ['log', 'linear'] as const;
export type Axis = (typeof AXES)[number];
export const LIMITS = [1000, 10_000, 50_000, 100_000] as const;
export const MAX_LIMIT = 100_000;

/** Of the table: `time`, `value`, `source` or `label:NAME`. */
export interface Sort {
  readonly column: string;
  readonly isDescending: boolean;
}

export const DEFAULT_STATE: ExploreState = {
  query: '',
  range: DEFAULT_RANGE,
  isLive: false,
  limit: 10_000,
  source: 'all',
  colorBy: undefined,
  axis: 'log',
  minValue: undefined,
  maxValue: undefined,
  filters: [],
  hidden: [],
  sort: { column: 'time', isDescending: true },
  columns: undefined,
  trace: undefined,
};

/** What a URL says; what it says badly is left at its default and named in `problems`. */
export function readState(parameters: URLSearchParams): { state: ExploreState; problems: string[] } {
  const address = new AddressReader(parameters);
  const { problems } = address;
  const range = parseRange(parameters.get('range'), parameters.get('start'), parameters.get('end'));
  if (range === undefined) {
    const given = ['range', 'start', 'end'].filter((name) => parameters.has(name));
    problems.push(given.map((name) => `${name}=${parameters.get(name)}`).join(' '));
  }
  const filters = parameters.getAll('filter').flatMap((text) => {
    const filter = parseFilter(text);
    if (filter === undefined) problems.push(`filter=${text}`);
    return filter ?? [];
  });
  const state: ExploreState = {
    query: parameters.get('query') ?? '',
    range: range ?? DEFAULT_RANGE,
    isLive: address.read('live', (text) => (text === '1' ? true : undefined), false),
    limit: address.read('limit', parseLimit, DEFAULT_STATE.limit),
    source: address.read('source', oneOf(SOURCES), DEFAULT_STATE.source),
    colorBy: parameters.get('color') ?? undefined,
    axis: address.read('axis', oneOf(AXES), DEFAULT_STATE.axis),
    minValue: address.read('min', finiteNumber, undefined),
    maxValue: address.read('max', finiteNumber, undefined),
    filters,
    hidden: parameters.getAll('hide'),
    sort: address.read('sort', parseSort, DEFAULT_STATE.sort),
    columns: parameters.has('column') ? parameters.getAll('column').filter((name) => name !== '') : undefined,
    trace: parameters.get('trace') || undefined,
  };
  return { state: { ...state, isLive: state.isLive && canStream(state) }, problems };
}

/** What comes live comes now, and into memory: between two moments, and in the archive, there is none. */
export function canStream({ range, source }: Pick<ExploreState, 'range' | 'source'>): boolean {
  return range.kind === 'last' && source !== 'archive';
}

/** Only what differs from the defaults. */
export function writeState(state: ExploreState): URLSearchParams {
  const parameters = new URLSearchParams();
  const write = (
    name: string,
    value: string | number | undefined,
    byDefault: string | number | undefined,
  ) => {
    if (value !== undefined && value !== byDefault) parameters.set(name, String(value));
  };
  write('query', state.query, '');
  for (const [name, text] of rangeParameters(state.range)) parameters.set(name, text);
  write('live', state.isLive && canStream(state) ? 1 : undefined, undefined);
  write('limit', state.limit, DEFAULT_STATE.limit);
  write('source', state.source, DEFAULT_STATE.source);
  write('color', state.colorBy, undefined);
  write('axis', state.axis, DEFAULT_STATE.axis);
  write('min', state.minValue, undefined);
  write('max', state.maxValue, undefined);
  for (const filter of state.filters) parameters.append('filter', formatFilter(filter));
  for (const key of state.hidden) parameters.append('hide', key);
  write('sort', formatSort(state.sort), formatSort(DEFAULT_STATE.sort));
  if (state.columns?.length === 0) parameters.append('column', '');
  for (const name of state.columns ?? []) parameters.append('column', name);
  write('trace', state.trace, undefined);
  return parameters;
}

function parseLimit(text: string): number | undefined {
  const limit = Number(text);
  return Number.isInteger(limit) && limit > 0 && limit <= MAX_LIMIT ? limit : undefined;
}

export function finiteNumber(text: string): number | undefined {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** As in many APIs: a minus before the column is "greatest first". */
function parseSort(text: string): Sort | undefined {
  const column = text.replace(/^-/, '');
  return /^(time|value|source|label:.+)$/s.test(column)
    ? { column, isDescending: text.startsWith('-') }
    : undefined;
}

function formatSort({ column, isDescending }: Sort): string {
  return `${isDescending ? '-' : ''}${column}`;
}

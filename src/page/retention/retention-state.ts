import { AddressReader, oneOf } from '../address-reader.js';
import { parseDuration } from '../format/time.js';
import type { TableSort } from '../parts/table-sort.js';

/** Everything of the view that a shared URL brings along. */
export interface RetentionState {
  /** As the API's `by`. */
  readonly by: string;
  /** A selector; empty: all series. */
  readonly match: string;
  readonly sort: TableSort | undefined;
  /** Seconds; undefined: that of the configuration. */
  readonly targetSeconds: number | undefined;
  /** What if rings had so many slots; undefined: as they are. */
  readonly perSeries: number | undefined;
}

export const GROUPINGS = ['total', 'job', 'instance', 'metric', 'series'] as const;

/** Columns by which the server sorts. */
export const SORTS = ['window', 'rate', 'overwrites', 'exemplars'];

/** As the configuration takes `per_series`. */
export const MAX_SLOTS = 2 ** 31 - 1;

export function parseSlots(text: string): number | undefined {
  const slots = Number(text);
  return Number.isInteger(slots) && slots >= 1 && slots <= MAX_SLOTS ? slots : undefined;
}

/** What an address says; what it says badly is left at its default and named in `problems`. */
export function readState(parameters: URLSearchParams): {
  state: RetentionState;
  problems: readonly string[];
} {
  const address = new AddressReader(parameters);
  const sort = address.read('sort', oneOf(SORTS), undefined);
  const order = address.read('order', oneOf(['asc', 'desc']), 'desc');
  const state: RetentionState = {
    by: address.read('by', parseGrouping, 'job'),
    match: parameters.get('match') ?? '',
    sort: sort === undefined ? undefined : { column: sort, isDescending: order === 'desc' },
    targetSeconds: address.read('target', parseDuration, undefined),
    perSeries: address.read('per_series', parseSlots, undefined),
  };
  return { state, problems: address.problems };
}

function parseGrouping(text: string): string | undefined {
  return oneOf<string>(GROUPINGS)(text) ?? (/^label:./.test(text) ? text : undefined);
}

export function writeState(
  state: RetentionState,
  formatDuration: (seconds: number) => string,
): URLSearchParams {
  const parameters = new URLSearchParams();
  if (state.by !== 'job') parameters.set('by', state.by);
  if (state.match !== '') parameters.set('match', state.match);
  if (state.sort !== undefined) {
    parameters.set('sort', state.sort.column);
    if (!state.sort.isDescending) parameters.set('order', 'asc');
  }
  if (state.targetSeconds !== undefined) parameters.set('target', formatDuration(state.targetSeconds));
  if (state.perSeries !== undefined) parameters.set('per_series', String(state.perSeries));
  return parameters;
}

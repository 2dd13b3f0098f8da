import { type Labels, labelsToJson } from '../model/labels.js';
import type { Matcher } from '../model/matcher.js';
import type { SeriesRef, SlotRef } from '../model/refs.js';
import type { ExemplarStore } from '../store/exemplar-store.js';
import { selectSeries } from '../store/selection.js';
import { KnownSeries } from '../store/series-groups.js';
import { NO_SLOT } from '../store/slot-slab.js';
import { goFloat, secondsJson } from '../util/json.js';
import type { TimeSlices } from '../util/time-slices.js';
import { withExternalLabels } from './external-labels.js';
import { LimitCut } from './limit-cut.js';

export interface ExemplarQuery {
  readonly selectors: readonly (readonly Matcher[])[];
  /** Both ends inclusive. */
  readonly startMs: number;
  readonly endMs: number;
  /** Both ends inclusive; with either, NaN is left out. */
  readonly minValue: number | undefined;
  readonly maxValue: number | undefined;
  /** Of time, inside each series. */
  readonly order: 'asc' | 'desc';
  /** The first so many exemplars of the whole answer in that order. */
  readonly limit: number | undefined;
  /** Whether each exemplar says where it was found. */
  readonly showSource?: boolean;
  /** Which series are shown with, unless they have them. The selectors do not know of them. */
  readonly externalLabels?: Labels;
  /** An answer with more is refused. */
  readonly maxExemplars?: number;
}

/** An answer would be larger than it may be. */
export class AnswerTooLarge extends Error {}

/** @throws {AnswerTooLarge} */
export function refuseTooLarge(count: number, { maxExemplars, limit }: ExemplarQuery): void {
  const answered = Math.min(count, limit ?? count);
  if (maxExemplars === undefined || answered <= maxExemplars) return;
  throw new AnswerTooLarge(
    `the answer would have ${answered} exemplars, and no answer may have more than ${maxExemplars} (--query.max-exemplars): narrow the selector or the time, or give a limit`,
  );
}

/** Where an exemplar was found: in the rings, the archive, or the Prometheus behind. */
export type FoundIn = 'memory' | 'archive' | 'upstream';

/** Text gathered before it is handed on. */
export const CHUNK_LENGTH = 64 * 1024;

/**
 * The answer to a query as JSON text, piece by piece: `[{"seriesLabels":{…},"exemplars":[…]},…]`, sorted by
 * label set. Series without exemplars in the range are left out. Rings may change between two pieces; a series
 * is always shown as it is at one moment.
 */
export async function* exemplarsJson(
  store: ExemplarStore,
  query: ExemplarQuery,
  slices: TimeSlices,
): AsyncGenerator<string> {
  const selected = (await selectSeries(store.index, query.selectors, slices)).filter((series) =>
    mayAnswer(store, series, query),
  );
  const known = new KnownSeries(store, selected);
  await refuseTooMany(store, known, query, slices);
  const cut = await limitCut(store, known, query, slices);
  let text = '[';
  let isFirst = true;
  for (const series of await store.index.sorted(selected, slices)) {
    const exemplars = known.isStill(series) ? seriesExemplarsJson(store, series, query, cut) : '';
    if (exemplars !== '') {
      text += `${isFirst ? '' : ','}{"seriesLabels":${shownLabels(store, series, query)},"exemplars":[${exemplars}]}`;
      isFirst = false;
    }
    if (text.length > CHUNK_LENGTH) {
      yield text;
      text = '';
    }
    if (slices.isOver) await slices.pause();
  }
  yield `${text}]`;
}

function shownLabels({ index }: ExemplarStore, series: SeriesRef, { externalLabels }: ExemplarQuery): string {
  if (externalLabels === undefined) return index.labelsJson(series);
  return labelsToJson(withExternalLabels(index.labels(series), externalLabels));
}

function mayAnswer(store: ExemplarStore, series: SeriesRef, query: ExemplarQuery): boolean {
  const { rings } = store;
  return (
    rings.held(series) > 0 && rings.oldestMs(series) <= query.endMs && rings.newestMs(series) >= query.startMs
  );
}

/** @throws {AnswerTooLarge} */
async function refuseTooMany(
  store: ExemplarStore,
  known: KnownSeries,
  query: ExemplarQuery,
  slices: TimeSlices,
): Promise<void> {
  if (query.maxExemplars === undefined) return;
  const held = known.refs.reduce((sum, series) => sum + store.rings.held(series), 0);
  // Nearly always so, and at once known.
  if (Math.min(held, query.limit ?? held) <= query.maxExemplars) return;
  let count = 0;
  for (const series of known.refs) {
    if (known.isStill(series)) count += matchingSlots(store, series, query).length;
    if (slices.isOver) await slices.pause();
  }
  refuseTooLarge(count, query);
}

/** Which of all matching exemplars the limit leaves. */
async function limitCut(
  store: ExemplarStore,
  known: KnownSeries,
  query: ExemplarQuery,
  slices: TimeSlices,
): Promise<LimitCut | undefined> {
  if (query.limit === undefined) return undefined;
  const cut = new LimitCut(query.limit, query.order);
  for (const series of known.refs) {
    const slots = known.isStill(series) ? matchingSlots(store, series, query) : [];
    for (const slot of slots) cut.offer(store.rings.timestampMs(slot));
    if (slices.isOver) await slices.pause();
  }
  return cut;
}

function seriesExemplarsJson(
  store: ExemplarStore,
  series: SeriesRef,
  query: ExemplarQuery,
  cut: LimitCut | undefined,
): string {
  const { rings } = store;
  const foundIn = query.showSource ? 'memory' : undefined;
  let text = '';
  for (const slot of matchingSlots(store, series, query)) {
    const timestampMs = rings.timestampMs(slot);
    if (cut !== undefined && !cut.take(timestampMs)) continue;
    const exemplar = exemplarJson(rings.labelsJson(slot), rings.value(slot), timestampMs, foundIn);
    text += text === '' ? exemplar : `,${exemplar}`;
  }
  return text;
}

export function exemplarJson(
  labelsJson: string,
  value: number,
  timestampMs: number,
  foundIn?: FoundIn,
): string {
  const source = foundIn === undefined ? '' : `,"source":"${foundIn}"`;
  return `{"labels":${labelsJson},"value":"${goFloat(value)}","timestamp":${secondsJson(timestampMs)}${source}}`;
}

/** In the order of the query. */
export function matchingSlots(store: ExemplarStore, series: SeriesRef, query: ExemplarQuery): SlotRef[] {
  const { rings } = store;
  const { startMs, endMs, minValue, maxValue } = query;
  const slots: SlotRef[] = [];
  for (let slot = rings.oldestSlot(series); slot !== NO_SLOT; slot = rings.nextSlot(slot)) {
    const timestampMs = rings.timestampMs(slot);
    if (timestampMs < startMs || timestampMs > endMs) continue;
    // Written so that NaN fails a bound that is given.
    if (minValue !== undefined && !(rings.value(slot) >= minValue)) continue;
    if (maxValue !== undefined && !(rings.value(slot) <= maxValue)) continue;
    slots.push(slot);
  }
  return query.order === 'asc' ? slots : slots.reverse();
}

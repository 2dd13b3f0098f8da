/**
 * Rings and archive as one. Rings are asked first; the archive only for what they do not have any more: of a series, what
 * is not later than `completeAfterMs`, and series they do not know. Both may have the same exemplar; it is shown once.
 */
import type { ArchivedExemplar, ArchivedSeries, ArchiveNeed, ExemplarArchive } from '../model/archive.js';
import { encodeLabels } from '../model/encoded-labels.js';
import { compareLabels, type Labels, labelsToJson } from '../model/labels.js';
import type { ExemplarStore } from '../store/exemplar-store.js';
import { selectSeries } from '../store/selection.js';
import { KnownSeries } from '../store/series-groups.js';
import { compareNumbers } from '../util/numbers.js';
import { orderInSlices } from '../util/sliced-order.js';
import type { TimeSlices } from '../util/time-slices.js';
import { CHUNK_LENGTH, type ExemplarQuery, exemplarJson, exemplarsJson, matchingSlots } from './exemplars.js';
import { LimitCut } from './limit-cut.js';

/** Who is asked: rings, the archive, or (`all`) both. */
export type ExemplarSource = 'memory' | 'archive' | 'all';

/** JSON text, piece by piece, and what is wrong with it. */
export interface JsonAnswer {
  readonly data: AsyncIterable<string>;
  readonly warnings: readonly string[];
}

export interface ExemplarMemory {
  readonly store: ExemplarStore;
  /** Undefined while there is none. */
  readonly archive: () => ExemplarArchive | undefined;
}

/** Exemplars of rings in one merged answer; as objects they take some ten times what they take in rings. */
const MAX_COPIES = 200_000;
const TOO_MANY_TO_MERGE = `archive: not asked, because rings alone have more than ${MAX_COPIES} exemplars; ask for less`;

interface Series {
  readonly labels: Labels;
  exemplars: ArchivedExemplar[];
}

/** By label set, as JSON. */
type SeriesByLabels = Map<string, Series>;

/** Answers like `exemplarsJson`, whatever the source. */
export async function queryExemplars(
  { store, archive: currentArchive }: ExemplarMemory,
  query: ExemplarQuery,
  source: ExemplarSource,
  slices: TimeSlices,
): Promise<JsonAnswer> {
  const archive = source === 'memory' ? undefined : currentArchive();
  if (source === 'archive') {
    if (archive === undefined) return { data: json([]), warnings: ['archive: there is none'] };
    const need = { othersUntilMs: Number.POSITIVE_INFINITY, series: [] };
    return merge(new Map(), await archive.exemplars({ ...query, need }), query, slices);
  }
  if (archive === undefined) return { data: exemplarsJson(store, query, slices), warnings: [] };
  const known = new KnownSeries(store, await selectSeries(store.index, query.selectors, slices));
  if (!(await isArchiveNeeded(store, known, archive, query.startMs, slices)))
    return { data: exemplarsJson(store, query, slices), warnings: [] };
  // What a ring gives up from here on is in this copy; what it had given up before, the archive has or is about to.
  const copied = await copyRings(store, known, archive, query, slices);
  if (copied === undefined)
    return { data: exemplarsJson(store, query, slices), warnings: [TOO_MANY_TO_MERGE] };
  const { rings, need } = copied;
  return merge(rings, await archive.exemplars({ ...query, need }), query, slices);
}

/** Everything that rings and archive have of a trace. */
export async function queryTrace(
  { store, archive }: ExemplarMemory,
  id: string,
  isOfTrace: (labels: Labels) => boolean,
  slices: TimeSlices,
): Promise<JsonAnswer> {
  const rings: SeriesByLabels = new Map();
  const known = new KnownSeries(store, [...store.index.all()]);
  for (const series of known.refs) {
    if (!known.isStill(series)) continue;
    const exemplars = copyOf(store, matchingSlots(store, series, EVERYTHING)).filter(({ labels }) =>
      isOfTrace(labels),
    );
    if (exemplars.length > 0)
      rings.set(store.index.labelsJson(series), { labels: store.index.labels(series), exemplars });
    if (slices.isOver) await slices.pause();
  }
  const archived = (await archive()?.exemplarsOfTrace(id)) ?? { found: [], warnings: [] };
  return merge(rings, archived, EVERYTHING, slices);
}

const EVERYTHING: ExemplarQuery = {
  selectors: [],
  startMs: Number.NEGATIVE_INFINITY,
  endMs: Number.POSITIVE_INFINITY,
  minValue: undefined,
  maxValue: undefined,
  order: 'asc',
  limit: undefined,
};

async function isArchiveNeeded(
  store: ExemplarStore,
  known: KnownSeries,
  archive: ExemplarArchive,
  startMs: number,
  slices: TimeSlices,
): Promise<boolean> {
  if (archive.isShared || startMs <= store.totals.forgottenUntilMs) return true;
  for (const series of known.refs) {
    if (known.isStill(series) && startMs <= store.completeAfterMs(series)) return true;
    if (slices.isOver) await slices.pause();
  }
  // Series were forgotten while we looked.
  return startMs <= store.totals.forgottenUntilMs;
}

/** @returns undefined where there are too many to be held in memory */
async function copyRings(
  store: ExemplarStore,
  known: KnownSeries,
  archive: ExemplarArchive,
  query: ExemplarQuery,
  slices: TimeSlices,
): Promise<{ readonly rings: SeriesByLabels; readonly need: ArchiveNeed } | undefined> {
  let copies = 0;
  const rings: SeriesByLabels = new Map();
  const needs: { labels: Labels; untilMs: number }[] = [];
  for (const series of known.refs) {
    if (known.isStill(series)) {
      const labels = store.index.labels(series);
      needs.push({ labels, untilMs: store.completeAfterMs(series) });
      const exemplars = copyOf(store, matchingSlots(store, series, query));
      if (exemplars.length > 0) rings.set(store.index.labelsJson(series), { labels, exemplars });
      copies += exemplars.length;
      if (copies > MAX_COPIES) return undefined;
    }
    if (slices.isOver) await slices.pause();
  }
  // Last: it covers what was forgotten meanwhile.
  const othersUntilMs = archive.isShared ? Number.POSITIVE_INFINITY : store.totals.forgottenUntilMs;
  return { rings, need: { othersUntilMs, series: needs } };
}

function copyOf(store: ExemplarStore, slots: ReturnType<typeof matchingSlots>): ArchivedExemplar[] {
  const { rings } = store;
  return slots.map((slot) => ({
    timestampMs: rings.timestampMs(slot),
    value: rings.value(slot),
    labels: rings.labels(slot),
  }));
}

async function merge(
  rings: SeriesByLabels,
  archived: { readonly found: readonly ArchivedSeries[]; readonly warnings: readonly string[] },
  query: ExemplarQuery,
  slices: TimeSlices,
): Promise<JsonAnswer> {
  for (const { labels, exemplars } of archived.found) {
    const key = labelsToJson(labels);
    const series = rings.get(key);
    if (series === undefined) rings.set(key, { labels, exemplars: [...exemplars] });
    else series.exemplars = series.exemplars.concat(exemplars);
    if (slices.isOver) await slices.pause();
  }
  for (const series of rings.values()) {
    series.exemplars = onceInOrder(series.exemplars, query.order);
    if (slices.isOver) await slices.pause();
  }
  const all = [...rings.values()];
  const order = await orderInSlices(
    all.length,
    (a, b) => compareLabels(all[a]!.labels, all[b]!.labels),
    slices,
  );
  const sorted = Array.from(order, (index) => all[index]!);
  await applyLimit(sorted, query, slices);
  return { data: json(sorted.filter(({ exemplars }) => exemplars.length > 0)), warnings: archived.warnings };
}

/** In the order of a ring: time, value, labels. */
function onceInOrder(exemplars: readonly ArchivedExemplar[], order: 'asc' | 'desc'): ArchivedExemplar[] {
  const sorted = [...exemplars].sort(compareExemplars);
  const once = sorted.filter((exemplar, i) => i === 0 || compareExemplars(sorted[i - 1]!, exemplar) !== 0);
  return order === 'asc' ? once : once.reverse();
}

function compareExemplars(a: ArchivedExemplar, b: ArchivedExemplar): number {
  return (
    a.timestampMs - b.timestampMs || compareNumbers(a.value, b.value) || compareEncoded(a.labels, b.labels)
  );
}

function compareEncoded(a: Labels, b: Labels): number {
  const isSame = a.length === b.length && a.every((text, i) => text === b[i]);
  return isSame ? 0 : Buffer.compare(encodeLabels(a), encodeLabels(b));
}

async function applyLimit(
  sorted: readonly Series[],
  query: ExemplarQuery,
  slices: TimeSlices,
): Promise<void> {
  if (query.limit === undefined) return;
  const cut = new LimitCut(query.limit, query.order);
  for (const { exemplars } of sorted) {
    for (const { timestampMs } of exemplars) cut.offer(timestampMs);
    if (slices.isOver) await slices.pause();
  }
  for (const series of sorted)
    series.exemplars = series.exemplars.filter(({ timestampMs }) => cut.take(timestampMs));
}

/** The same text as of rings alone. */
async function* json(all: readonly Series[]): AsyncGenerator<string> {
  let text = '[';
  let isFirst = true;
  for (const { labels, exemplars } of all) {
    text += `${isFirst ? '' : ','}{"seriesLabels":${labelsToJson(labels)},"exemplars":[`;
    isFirst = false;
    for (let i = 0; i < exemplars.length; i++) {
      const exemplar = exemplars[i]!;
      text += `${i === 0 ? '' : ','}${exemplarJson(labelsToJson(exemplar.labels), exemplar.value, exemplar.timestampMs)}`;
      if (text.length <= CHUNK_LENGTH) continue;
      yield text;
      text = '';
    }
    text += ']}';
  }
  yield `${text}]`;
}

/**
 * Rings and archive as one, and what a Prometheus behind has, if it is to be asked. Rings are asked first; the archive only for what they do not have any more: of a series, what
 * is not later than `completeAfterMs`, and series they do not know. Both may have the same exemplar; it is shown once.
 */
import type {
  Archived,
  ArchivedExemplar,
  ArchivedSeries,
  ArchiveNeed,
  ExemplarArchive,
} from '../model/archive.js';
import { encodeLabels } from '../model/encoded-labels.js';
import { compareLabels, type Labels, labelsToJson, NO_LABELS } from '../model/labels.js';
import type { ExemplarStore } from '../store/exemplar-store.js';
import { selectSeries } from '../store/selection.js';
import { KnownSeries } from '../store/series-groups.js';
import { compareNumbers } from '../util/numbers.js';
import { orderInSlices } from '../util/sliced-order.js';
import type { TimeSlices } from '../util/time-slices.js';
import {
  CHUNK_LENGTH,
  type ExemplarQuery,
  exemplarJson,
  exemplarsJson,
  type FoundIn,
  matchingSlots,
  refuseTooLarge,
} from './exemplars.js';
import { withExternalLabels } from './external-labels.js';
import { LimitCut } from './limit-cut.js';

/** Who is asked: rings, the archive, or (`all`) both, and the upstream where it is merged. */
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
const tooManyToMerge = (who: string) =>
  `${who}: not asked, because rings alone have more than ${MAX_COPIES} exemplars; ask for less`;

/** Of a server behind: never rejects, but warns. */
export type AskUpstream = () => Promise<Found>;

type Found = Archived<readonly ArchivedSeries[]>;

/** Where it was found is noted only where that is to be shown. */
type Exemplar = ArchivedExemplar & { readonly foundIn?: FoundIn };

interface Series {
  readonly labels: Labels;
  exemplars: Exemplar[];
}

/** By label set, as JSON. */
type SeriesByLabels = Map<string, Series>;

/** Answers like `exemplarsJson`, whatever the source. */
export async function queryExemplars(
  { store, archive: currentArchive }: ExemplarMemory,
  query: ExemplarQuery,
  source: ExemplarSource,
  slices: TimeSlices,
  askUpstream?: AskUpstream,
): Promise<JsonAnswer> {
  const archive = source === 'memory' ? undefined : currentArchive();
  if (source === 'archive') {
    if (archive === undefined) return { data: json([]), warnings: ['archive: there is none'] };
    const need = { othersUntilMs: Number.POSITIVE_INFINITY, series: [] };
    const archived = await archive.exemplars({ ...query, need });
    return merge(new Map(), [from('archive', archived, query)], query, slices);
  }
  const upstream = source === 'all' ? askUpstream : undefined;
  const ringsAlone = (warnings: readonly string[]) => ({
    data: exemplarsJson(store, query, slices),
    warnings,
  });
  if (archive === undefined && upstream === undefined) return ringsAlone([]);
  const known = new KnownSeries(store, await selectSeries(store.index, query.selectors, slices));
  const asked = (await isArchiveNeeded(store, known, archive, query.startMs, slices)) ? archive : undefined;
  if (asked === undefined && upstream === undefined) return ringsAlone([]);
  // What a ring gives up from here on is in this copy; what it had given up before, the archive has or is about to.
  const copied = await copyRings(store, known, asked, query, slices);
  if (copied === undefined)
    return ringsAlone([
      ...(asked === undefined ? [] : [tooManyToMerge('archive')]),
      ...(upstream === undefined ? [] : [tooManyToMerge('upstream')]),
    ]);
  const { rings, need } = copied;
  const [archived, behind] = await Promise.all([asked?.exemplars({ ...query, need }), upstream?.()]);
  const others = [
    ...(archived === undefined ? [] : [from('archive', archived, query)]),
    ...(behind === undefined ? [] : [from('upstream', behind, query)]),
  ];
  return merge(rings, others, query, slices);
}

/** What was found elsewhere, as it is to be shown. */
function from(foundIn: FoundIn, { found, warnings }: Found, query: ExemplarQuery): Found {
  const { showSource, externalLabels } = query;
  if (!showSource && externalLabels === undefined) return { found, warnings };
  return {
    warnings,
    found: found.map(({ labels, exemplars }) => ({
      labels: foundIn === 'archive' ? withExternalLabels(labels, externalLabels ?? NO_LABELS) : labels,
      exemplars: showSource ? exemplars.map((exemplar) => ({ ...exemplar, foundIn })) : exemplars,
    })),
  };
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
  return merge(rings, [archived], EVERYTHING, slices);
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
  archive: ExemplarArchive | undefined,
  startMs: number,
  slices: TimeSlices,
): Promise<boolean> {
  if (archive === undefined) return false;
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
  archive: ExemplarArchive | undefined,
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
      const exemplars = copyOf(store, matchingSlots(store, series, query), query.showSource);
      if (exemplars.length > 0) addShown(rings, labels, exemplars, query);
      copies += exemplars.length;
      if (copies > MAX_COPIES) return undefined;
    }
    if (slices.isOver) await slices.pause();
  }
  // Last: it covers what was forgotten meanwhile.
  const othersUntilMs = archive?.isShared ? Number.POSITIVE_INFINITY : store.totals.forgottenUntilMs;
  return { rings, need: { othersUntilMs, series: needs } };
}

/** With external labels, two series may come to have the same. */
function addShown(rings: SeriesByLabels, kept: Labels, exemplars: Exemplar[], query: ExemplarQuery): void {
  const labels = withExternalLabels(kept, query.externalLabels ?? NO_LABELS);
  const key = labelsToJson(labels);
  const series = rings.get(key);
  if (series === undefined) rings.set(key, { labels, exemplars });
  else series.exemplars = series.exemplars.concat(exemplars);
}

function copyOf(
  store: ExemplarStore,
  slots: ReturnType<typeof matchingSlots>,
  showSource = false,
): Exemplar[] {
  const { rings } = store;
  const source = showSource ? { foundIn: 'memory' as const } : {};
  return slots.map((slot) => ({
    timestampMs: rings.timestampMs(slot),
    value: rings.value(slot),
    labels: rings.labels(slot),
    ...source,
  }));
}

async function merge(
  rings: SeriesByLabels,
  others: readonly Found[],
  query: ExemplarQuery,
  slices: TimeSlices,
): Promise<JsonAnswer> {
  for (const { labels, exemplars } of others.flatMap(({ found }) => found)) {
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
  refuseTooLarge(
    sorted.reduce((sum, { exemplars }) => sum + exemplars.length, 0),
    query,
  );
  await applyLimit(sorted, query, slices);
  const warnings = others.flatMap((other) => other.warnings);
  return { data: json(sorted.filter(({ exemplars }) => exemplars.length > 0)), warnings };
}

/** In the order of a ring: time, value, labels. Of the same, the first: rings come before others. */
function onceInOrder(exemplars: readonly Exemplar[], order: 'asc' | 'desc'): Exemplar[] {
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
      text += `${i === 0 ? '' : ','}${exemplarJson(labelsToJson(exemplar.labels), exemplar.value, exemplar.timestampMs, exemplar.foundIn)}`;
      if (text.length <= CHUNK_LENGTH) continue;
      yield text;
      text = '';
    }
    text += ']}';
  }
  yield `${text}]`;
}

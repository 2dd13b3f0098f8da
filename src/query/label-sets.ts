import type { Archived, ArchiveFilter, ExemplarArchive } from '../model/archive.js';
import { compareBytewise, compareLabels, type Labels, labelsToJson } from '../model/labels.js';
import type { SeriesRef } from '../model/refs.js';
import type { ExemplarStore } from '../store/exemplar-store.js';
import { selectSeries } from '../store/selection.js';
import { KnownSeries } from '../store/series-groups.js';
import { orderInSlices } from '../util/sliced-order.js';
import type { TimeSlices } from '../util/time-slices.js';
import type { ExemplarMemory } from './merged-exemplars.js';

/** Label names of the series, sorted bytewise. */
export async function labelNames(
  memory: ExemplarMemory,
  filter: ArchiveFilter,
  slices: TimeSlices,
): Promise<Archived<string[]>> {
  const { store } = memory;
  const { interner } = store.index;
  const names = new Set<string>();
  await visitSeries(store, filter, slices, (series) => {
    for (const pair of store.index.pairsOf(series)) names.add(interner.name(pair));
  });
  const archived = await askArchive(memory, filter, (archive) => archive.labelNames(filter));
  return { found: await sortTexts([...names, ...archived.found], slices), warnings: archived.warnings };
}

/** Values that the series have of a label, sorted bytewise. */
export async function labelValues(
  memory: ExemplarMemory,
  name: string,
  filter: ArchiveFilter,
  slices: TimeSlices,
): Promise<Archived<string[]>> {
  const { store } = memory;
  const values = new Set<string>();
  await visitSeries(store, filter, slices, (series) => values.add(store.index.labelValue(series, name)));
  values.delete('');
  const archived = await askArchive(memory, filter, (archive) => archive.labelValues(name, filter));
  return { found: await sortTexts([...values, ...archived.found], slices), warnings: archived.warnings };
}

/** Label sets as JSON objects, sorted; those forgotten meanwhile are left out. At least `limit` of them, if there are so many. */
export async function labelSetsJson(
  memory: ExemplarMemory,
  filter: ArchiveFilter,
  limit: number,
  slices: TimeSlices,
): Promise<Archived<AsyncIterable<string>>> {
  const { store } = memory;
  const archived = await askArchive(memory, filter, (archive) => archive.labelSets(filter, limit));
  const known = new KnownSeries(store, await select(store, filter, slices));
  const selected = new Set(known.refs);
  const others = archived.found.filter((labels) => {
    const series = store.index.find(labels);
    return series === undefined || !selected.has(series);
  });
  const order = await orderInSlices(others.length, (a, b) => compareLabels(others[a]!, others[b]!), slices);
  const sortedOthers = Array.from(order, (index) => others[index]!);
  return { found: mergedJson(store, known, sortedOthers, slices), warnings: archived.warnings };
}

async function* mergedJson(
  store: ExemplarStore,
  known: KnownSeries,
  others: readonly Labels[],
  slices: TimeSlices,
): AsyncGenerator<string> {
  let next = 0;
  for (const series of await store.index.sorted(known.refs, slices)) {
    if (!known.isStill(series)) continue;
    const labels = next < others.length ? store.index.labels(series) : undefined;
    while (labels !== undefined && next < others.length && compareLabels(others[next]!, labels) < 0)
      yield labelsToJson(others[next++]!);
    yield store.index.labelsJson(series);
    if (slices.isOver) await slices.pause();
  }
  while (next < others.length) yield labelsToJson(others[next++]!);
}

/** Memory has everything that is new. The archive is asked about what may be older. */
async function askArchive<Found>(
  { store, archive: currentArchive }: ExemplarMemory,
  { startMs, endMs }: ArchiveFilter,
  ask: (archive: ExemplarArchive) => Promise<Archived<readonly Found[]>>,
): Promise<Archived<readonly Found[]>> {
  const archive = currentArchive();
  // A series of which a ring has given up something within an open range has something newer in it.
  const isNew = startMs > store.totals.forgottenUntilMs && endMs === Number.POSITIVE_INFINITY;
  if (archive === undefined || (isNew && !archive.isShared)) return { found: [], warnings: [] };
  return ask(archive);
}

async function visitSeries(
  store: ExemplarStore,
  filter: ArchiveFilter,
  slices: TimeSlices,
  visit: (series: SeriesRef) => void,
): Promise<void> {
  const known = new KnownSeries(store, await select(store, filter, slices));
  for (const series of known.refs) {
    if (known.isStill(series)) visit(series);
    if (slices.isOver) await slices.pause();
  }
}

async function select(
  store: ExemplarStore,
  { selectors, startMs, endMs }: ArchiveFilter,
  slices: TimeSlices,
): Promise<SeriesRef[]> {
  const selected =
    selectors.length === 0 ? [...store.index.all()] : await selectSeries(store.index, selectors, slices);
  if (startMs === Number.NEGATIVE_INFINITY && endMs === Number.POSITIVE_INFINITY) return selected;
  const { rings } = store;
  return selected.filter(
    (series) =>
      rings.held(series) > 0 && rings.oldestMs(series) <= endMs && rings.newestMs(series) >= startMs,
  );
}

async function sortTexts(texts: readonly string[], slices: TimeSlices): Promise<string[]> {
  const once = [...new Set(texts)];
  const order = await orderInSlices(once.length, (a, b) => compareBytewise(once[a]!, once[b]!), slices);
  return Array.from(order, (index) => once[index]!);
}

import { Counter, Gauge } from 'prom-client';
import { REJECT_REASONS } from '../model/exemplar.js';
import { addReadCounter, addReadGauge, type MetricsRegistry } from '../telemetry/registry.js';
import type { ExemplarStore } from './exemplar-store.js';

/** Shows the store's own figures: they are read when metrics are rendered, and cost nothing before. */
export function addStoreMetrics(registry: MetricsRegistry, store: ExemplarStore): void {
  const gauge = (name: string, help: string, read: () => number) => addReadGauge(registry, name, help, read);
  const counter = (name: string, help: string, read: () => number) =>
    addReadCounter(registry, name, help, read);
  const { totals } = store;
  counter('exemplard_exemplars_accepted_total', 'Exemplars taken into a ring.', () => totals.accepted);
  counter(
    'exemplard_exemplars_duplicate_total',
    'Exemplars that were known already.',
    () => totals.duplicates,
  );
  counter(
    'exemplard_exemplars_overwritten_total',
    'Exemplars given up for newer ones.',
    () => totals.overwritten,
  );
  counter(
    'exemplard_exemplars_overwritten_unforwarded_total',
    'Exemplars given up before every remote write had them.',
    () => totals.overwrittenUnforwarded,
  );
  counter(
    'exemplard_series_created_total',
    'Series met for the first time, or again.',
    () => totals.seriesCreated,
  );
  gauge('exemplard_exemplars', 'Exemplars held.', () => store.exemplars);
  gauge('exemplard_exemplars_max', 'Exemplars that may be held.', () => store.options.maxExemplars);
  gauge('exemplard_series', 'Series known.', () => store.index.size);
  gauge('exemplard_series_max', 'Series that may be known.', () => store.options.maxSeries);
  gauge(
    'exemplard_store_max_bytes',
    'Memory that slots, labels and index may take.',
    () => store.options.maxBytes,
  );
  addLabelled(registry, store);
}

function addLabelled(registry: MetricsRegistry, store: ExemplarStore): void {
  const registers = [registry];
  new Counter({
    name: 'exemplard_exemplars_rejected_total',
    help: 'Exemplars refused.',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      REJECT_REASONS.forEach((reason, i) => {
        this.inc({ reason }, store.totals.rejected[i]!);
      });
    },
  });
  new Counter({
    name: 'exemplard_series_forgotten_total',
    help: 'Series forgotten: idle for too long, or the longest idle at a cap.',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      this.inc({ reason: 'idle' }, store.totals.seriesForgottenIdle);
      this.inc({ reason: 'cap' }, store.totals.seriesEvicted);
    },
  });
  new Counter({
    name: 'exemplard_series_refused_total',
    help: 'Times a new series found no room, all others being in use.',
    registers,
    collect() {
      this.reset();
      this.inc(store.seriesRefused);
    },
  });
  new Gauge({
    name: 'exemplard_store_bytes',
    help: 'Memory of slots, labels and index.',
    labelNames: ['part'],
    registers,
    collect() {
      for (const [part, bytes] of Object.entries(store.bytes)) this.set({ part }, bytes);
    },
  });
}

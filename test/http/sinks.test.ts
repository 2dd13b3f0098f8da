import { Counter, Gauge, Histogram } from 'prom-client';
import t from 'tap';
import { createRegistry } from '../../src/telemetry/registry.js';
import { createApi, get } from '../support/api.js';

t.test('sinks are told with the figures of their metrics', async (t) => {
  const registry = createRegistry();
  const registers = [registry];
  const help = 'x';
  new Gauge({ name: 'exemplard_journal_bytes', help, registers }).set(7);
  new Gauge({ name: 'exemplard_journal_never_seconds', help, registers }).set(Number.NEGATIVE_INFINITY);
  const dropped = new Counter({
    name: 'exemplard_remote_write_exemplars_dropped_total',
    help,
    labelNames: ['remote_name', 'url', 'reason'],
    registers,
  });
  dropped.inc({ remote_name: 'a', url: 'http://a', reason: 'too_old' }, 3);
  dropped.inc({ remote_name: 'b', url: 'http://b', reason: 'too_old' }, 4);
  new Histogram({ name: 'exemplard_archive_seconds', help, registers }).observe(1);
  new Gauge({ name: 'exemplard_sampler_lag_seconds', help, labelNames: ['job'], registers }).set(
    { job: 'j' },
    5,
  );
  const api = await createApi(undefined, { registry, impairment: () => 'The disk is full.' });
  const parts = (count: number) => ({ exemplars_dropped_total: { too_old: count } });
  const expected = {
    impairment: 'The disk is full.',
    journal: [{ labels: {}, figures: { bytes: 7 }, parts: {} }],
    remote_write: [
      { labels: { remote_name: 'a', url: 'http://a' }, figures: {}, parts: parts(3) },
      { labels: { remote_name: 'b', url: 'http://b' }, figures: {}, parts: parts(4) },
    ],
    archive: [],
    sampler: [{ labels: { job: 'j' }, figures: { lag_seconds: 5 }, parts: {} }],
  };
  t.strictSame((await get(api, '/api/v1/status/sinks')).body.data, expected);
  await registry.metrics();
  t.strictSame(
    (await get(api, '/api/v1/status/sinks')).body.data,
    expected,
    'names stay when somebody has looked at /metrics',
  );
});

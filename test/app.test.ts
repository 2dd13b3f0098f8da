import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { startApp } from './support/app.js';
import { DEFAULT_QUERY_LIMITS } from './support/query-limits.js';

t.test('a client that never ends its request does not keep the process after the deadline', async (t) => {
  const app = await startApp('');
  const { port, hostname } = new URL(app.url);
  const socket = connect(Number(port), hostname);
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  socket.write('POST /api/v1/query_exemplars HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nquery');
  await fetch(`${app.url}/-/healthy`);
  const startMs = performance.now();
  await app.stop();
  const tookMs = performance.now() - startMs;
  t.ok(tookMs >= 900 && tookMs < 15_000, `${tookMs} ms`);
});

t.test('status and targets of a running process', async (t) => {
  const app = await startApp(
    'retention_target: 2h\nscrape_configs: [{job_name: nobody, static_configs: [{targets: ["127.0.0.1:1"]}]}]',
  );
  t.teardown(() => app.stop());
  const data = async (path: string) => {
    const response = await fetch(`${app.url}/api/v1/${path}`);
    return ((await response.json()) as { data: unknown }).data;
  };
  t.match(await data('targets'), {
    activeTargets: [{ scrapePool: 'nobody', scrapeUrl: 'http://127.0.0.1:1/metrics', scrapeInterval: '1m' }],
    droppedTargetCounts: { nobody: 0 },
  });
  t.match(await data('status/config'), { yaml: /job_name: nobody/ });
  t.match(await data('status/runtimeinfo'), { reloadConfigSuccess: true });
  t.match(await data('status/page'), { perSeries: 128, maxExemplars: DEFAULT_QUERY_LIMITS.maxExemplars });
  t.match(await data('retention'), { groups: [{ forecast: { perSeriesForTarget: 1 } }] });
  const metrics = await app.metrics();
  t.match(metrics, '# TYPE exemplard_retention_window_seconds gauge');
  t.match(metrics, /# EOF\n$/);
});

t.test('metrics tell whether the last reload went well', async (t) => {
  const app = await startApp('');
  t.teardown(() => app.stop());
  const read = async (name: string) =>
    Number(new RegExp(`^exemplard_config_last_reload_${name} (\\S+)$`, 'm').exec(await app.metrics())![1]);
  t.equal(await read('successful'), 1);
  const startS = await read('success_timestamp_seconds');
  t.ok(Math.abs(Date.now() / 1000 - startS) < 60);
  await t.rejects(app.reload('nonsense: 1'));
  t.equal(await read('successful'), 0);
  t.equal(await read('success_timestamp_seconds'), startS);
  await app.reload('retention_target: 1h');
  t.equal(await read('successful'), 1);
  t.ok((await read('success_timestamp_seconds')) > startS);
});

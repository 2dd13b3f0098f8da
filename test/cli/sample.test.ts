/** `exemplard sample --once`, over an archive of its own and through a running exemplard. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { sample } from '../../src/cli/sample.js';
import { temporaryDirectory } from '../support/build.js';
import { openChdb, skipWithoutChdb } from '../support/chdb.js';
import { serve } from '../support/http-servers.js';
import { id, OTEL_TRACES, START_MS, samplingOver } from '../support/sampling.js';

const CONFIG = `
scrape_configs: [{job_name: a, static_configs: [{targets: ['localhost:1']}]}]
archive: {type: chdb}
sampling:
- job_name: j
  policies: [{type: slowest}, {type: representative}]
  traces: {}
`;

async function run(options: Partial<Parameters<typeof sample>[0]>) {
  let [stdout, stderr] = ['', ''];
  const code = await sample(
    { once: true, since: '24h', output: 'table', ...options },
    (text) => {
      stdout += text;
    },
    (text) => {
      stderr += text;
    },
  );
  return { code, stdout, stderr };
}

t.test('with an archive of its own', skipWithoutChdb(), async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'exemplard.yml');
  await writeFile(file, CONFIG);
  const database = openChdb(join(directory, 'chdb'));
  const sampling = await samplingOver(t, database);
  await database.command(OTEL_TRACES);
  await sampling.addExemplars([1, 2].map((n) => ({ labels: { path: '/a' }, traceId: id(n), value: n })));
  await sampling.addTraces([id(1), id(2)]);
  await sampling.manager.stop();
  await database.close();

  const local = { 'config.file': file, 'storage.path': directory };
  const dry = await run({ ...local, compare: true });
  t.match(dry, { code: 0, stderr: '' });
  t.match(dry.stdout, /^JOB +POLICIES +WINDOWS +GROUPS +COVERED +COVERAGE +TRACES +MISSING +BY POLICY\n/);
  t.match(dry.stdout, /\nj +slowest, representative +1 +1 +1 +100\.0 % +[12] +0 +slowest 1/);
  t.match(dry.stdout, /\nj +representative +1 +1 +1 +100\.0 % +1 +0 +representative 1\n/);
  const real = await run(local);
  t.match(real, { code: 0, stderr: '' });
  t.match(
    real.stdout,
    new RegExp(`\nj +${new Date(START_MS).toISOString()} +2 +1 +1 +[12] +0 +[24] +slowest 1`),
  );
  t.match(await run(local), { code: 0, stdout: 'nothing was due\n' });
  t.match(await run({ ...local, job: 'other' }), { code: 1, stderr: /there is no sampling job "other"/ });
});

t.test('through a running exemplard', async (t) => {
  const server = await serve((request, response) => {
    const data = request.method === 'POST' ? [{ job: 'j', windows: [], errors: ['away'] }] : [];
    response.end(JSON.stringify({ status: 'success', data }));
  });
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${server.port}`;
  t.match(await run({ server: url, job: 'j' }), { code: 1, stdout: 'nothing was due\nj: away\n' });
  t.match(await run({ server: url, dryRun: true, output: 'json' }), { code: 0, stdout: '[]\n' });
  t.same(
    server.asked.map(({ method, url: path }) => `${method} ${path}`),
    ['POST /api/v1/sampling/run?job=j', 'GET /api/v1/sampling/preview?since=24h&compare=false'],
  );
});

t.test('wrong usage', async (t) => {
  t.match(await run({ once: false, server: 'http://a' }), { code: 2, stderr: /--once/ });
  t.match(await run({}), { code: 2, stderr: /--config\.file/ });
  t.match(await run({ server: 'http://a', since: 'x' }), { code: 2, stderr: /--since/ });
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'f.yml');
  await writeFile(file, 'scrape_configs: [{job_name: a}]');
  t.match(await run({ 'config.file': file }), { code: 1, stderr: /has no sampling jobs/ });
  await writeFile(file, CONFIG.replace('chdb', 'none'));
  t.match(await run({ 'config.file': file }), { code: 1, stderr: /there is no archive/ });
});

/** The program as it is built, started as the README says. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { buildProgram, ROOT, runNode, startNode, temporaryDirectory } from '../support/build.js';
import { freePort, prometheusMissing, type QueriedSeries, startPrometheus } from '../support/prometheus.js';
import { body, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

interface Running {
  readonly url: string;
  readonly log: () => string;
  readonly signal: (name: 'SIGHUP' | 'SIGTERM') => void;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
  json(path: string): Promise<{ data: unknown }>;
  exemplars(query: string): Promise<QueriedSeries[]>;
}

const directory = await temporaryDirectory(t);
const program = await buildProgram(directory);

/** Starts exemplard; without a listen address of its own on a free port. */
async function start(
  t: { teardown(stop: () => unknown): unknown },
  ...flags: readonly string[]
): Promise<Running> {
  const hasAddress = flags.some((flag) => flag.startsWith('--web.listen-address'));
  const child = startNode([program, ...(hasAddress ? [] : ['--web.listen-address=127.0.0.1:0']), ...flags]);
  let log = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const ended = endOf(child);
  t.teardown(() => {
    child.kill('SIGKILL');
    return ended;
  });
  await until(() => /listening=/.test(log) || child.exitCode !== null, 'exemplard to listen');
  const url = /listening=([^\s,"]+)/.exec(log)?.[1];
  if (url === undefined) throw new Error(`exemplard did not start: ${log}`);
  const json = async (path: string) => (await (await fetch(url + path)).json()) as { data: unknown };
  return {
    url,
    log: () => log,
    signal: (name) => child.kill(name),
    ended,
    json,
    exemplars: async (query) =>
      (await json(`/api/v1/query_exemplars?${new URLSearchParams({ query })}`)).data as QueriedSeries[],
  };
}

async function endOf(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

async function writeConfig(name: string, text: string): Promise<string> {
  const file = join(directory, name);
  await writeFile(file, text);
  return file;
}

/** One exemplar a line, in any order. */
function lines(series: readonly QueriedSeries[]): string[] {
  return series.flatMap(({ seriesLabels, exemplars }) =>
    exemplars.map(({ labels, value, timestamp }) =>
      JSON.stringify([
        Object.entries(seriesLabels).sort(),
        Object.entries(labels).sort(),
        Number(value),
        timestamp,
      ]),
    ),
  );
}

t.test('the first minute', { skip: prometheusMissing() }, async (t) => {
  const prometheus = await startPrometheus();
  t.teardown(() => prometheus.stop());
  const [demoAt, ownAt] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const example = await readFile(join(ROOT, 'config.example.yaml'), 'utf8');
  const config = example
    .replace('127.0.0.1:9464', demoAt)
    .replace('127.0.0.1:9199', ownAt)
    .replace('http://127.0.0.1:9090', prometheus.url);
  t.notMatch(config.replace(/^#.*$/gm, ''), /:(9464|9199|9090)\b/, 'all ports are ours');
  const demo = startNode([program, 'demo', `--listen-address=${demoAt}`]);
  t.teardown(() => demo.kill('SIGKILL'));
  const startMs = performance.now();
  const exemplard = await start(
    t,
    `--config.file=${await writeConfig('minute.yml', config)}`,
    `--web.listen-address=${ownAt}`,
  );
  await until(
    async () => (await exemplard.exemplars('shop_http_requests_total')).length > 0,
    'exemplars of the demo',
  );
  t.ok(performance.now() - startMs < 60_000, 'exemplars in the first minute');
  const traced = (await exemplard.exemplars('shop_http_requests_total'))[0]!.exemplars[0]!;
  t.match(traced.labels, { trace_id: /^[0-9a-f]{32}$/, span_id: /^[0-9a-f]{16}$/ });

  interface Groups {
    readonly groups: { labels: { job?: string }; windowSeconds: { max: number }; exemplars: number }[];
  }
  const windowSeconds = async () => {
    const { groups } = (await exemplard.json('/api/v1/retention?by=job')).data as Groups;
    return groups.find(({ labels }) => labels.job === 'demo')!.windowSeconds.max;
  };
  await until(async () => (await windowSeconds()) > 2, 'a window, which takes two scrapes');
  const table = await runNode([program, 'query', 'retention', `--server=${exemplard.url}`, '--by=job']);
  t.match(table.stdout, /^GROUP .*\n\{job="demo"\} +\d+ .*\d+s/);

  const ours = lines(await exemplard.exemplars('{job="demo"}'));
  t.ok(ours.length > 20, `${ours.length} exemplars`);
  await until(async () => {
    const theirs = new Set(lines(await prometheus.queryExemplars('{job="demo"}')));
    return ours.every((line) => theirs.has(line));
  }, 'the same exemplars in Prometheus');
  const { activeTargets } = (await exemplard.json('/api/v1/targets')).data as {
    activeTargets: { health: string; lastError: string; scrapePool: string }[];
  };
  t.match(activeTargets, [
    { scrapePool: 'demo', health: 'up', lastError: '' },
    { scrapePool: 'exemplard', health: 'up', lastError: '' },
  ]);
  exemplard.signal('SIGTERM');
  t.equal(await exemplard.ended, 0);
  t.notMatch(exemplard.log(), /level=(warn|error)/);
});

t.test('--demo runs the demo service beside it, and ends it', async (t) => {
  const metrics = 'http://127.0.0.1:9464/metrics';
  const served = async () => (await fetch(metrics).catch(() => undefined))?.text();
  if ((await served()) !== undefined) {
    t.pass('port 9464 is in use here');
    return;
  }
  const exemplard = await start(t, '--scrape=http://127.0.0.1:9464', '--demo');
  await until(async () => /shop_http_requests_total/.test((await served()) ?? ''), 'the demo');
  exemplard.signal('SIGTERM');
  t.equal(await exemplard.ended, 0);
  await until(async () => (await served()) === undefined, 'the demo to end');
});

const exemplar = (id: string) => `# {trace_id="${id}"} 1 ${Date.now() / 1000 - 5}`;

t.test('a reload leaves alone what did not change', async (t) => {
  const serve = async (name: string) => {
    const target = await serveTarget((response, request) =>
      body(`${name}_total 1 ${exemplar(String(Date.now()))}\n# EOF\n`)(response, request),
    );
    t.teardown(() => target.close());
    return target;
  };
  const [kept, changed, added] = [await serve('kept'), await serve('changed'), await serve('added')];
  const job = (name: string, { address }: { address: string }, more = '') =>
    `- job_name: ${name}\n  scrape_interval: 1s\n  static_configs: [{targets: ['${address}']}]\n${more}`;
  const config = (jobs: string) => `scrape_configs:\n${jobs}`;
  const file = await writeConfig('reload.yml', config(job('kept', kept) + job('changed', changed)));
  const exemplard = await start(t, `--config.file=${file}`);
  await until(() => kept.requests.length >= 2 && changed.requests.length >= 2, 'scrapes');
  const before = lines(await exemplard.exemplars('kept_total'));

  const after = job('kept', kept) + job('changed', changed, '  params: {x: ["1"]}\n') + job('added', added);
  await writeConfig('reload.yml', config(after));
  exemplard.signal('SIGHUP');
  await until(() => added.requests.length > 0, 'the new job');
  await until(() => changed.requests.at(-1)!.url === '/metrics?x=1', 'the changed job');
  const scrapes = kept.requests.length;
  await until(() => kept.requests.length >= scrapes + 1, 'one more scrape');
  t.equal(new Set(kept.requests.map(({ socket }) => socket)).size, 1, 'over one connection all the time');
  t.not(changed.requests.at(-1)!.socket, changed.requests[0]!.socket);
  const held = lines(await exemplard.exemplars('kept_total'));
  t.ok(before.length > 0 && before.every((line) => held.includes(line)), 'its exemplars are still there');

  await writeConfig('reload.yml', `${config(after)}storage: {exemplars: {per_serie: 1}}\n`);
  exemplard.signal('SIGHUP');
  await until(() => /the old one stays/.test(exemplard.log()), 'the refusal');
  t.match(exemplard.log(), /reload\.yml:\d+:\d+: unknown key .*per_serie.* did you mean .*per_series/);
  t.match((await exemplard.json('/api/v1/status/runtimeinfo')).data, { reloadConfigSuccess: false });
  const [keptAfter, addedAfter] = [kept.requests.length, added.requests.length];
  await until(
    () => kept.requests.length > keptAfter && added.requests.length > addedAfter,
    'further scrapes',
  );
  t.equal(new Set(kept.requests.map(({ socket }) => socket)).size, 1);
  exemplard.signal('SIGTERM');
  t.equal(await exemplard.ended, 0);
});

t.test('a sidecar needs no file', async (t) => {
  const target = await serveTarget(body(`a_total 1 ${exemplar('a')}\n# EOF\n`));
  t.teardown(() => target.close());
  const exemplard = await start(
    t,
    `--scrape=http://${target.address}`,
    `--scrape=${target.url.origin}/other`,
  );
  await until(async () => (await exemplard.exemplars('a_total')).length === 2, 'both targets');
  t.match(await exemplard.exemplars('a_total'), [
    {
      seriesLabels: { job: /^sidecar/, instance: target.address },
      exemplars: [{ labels: { trace_id: 'a' } }],
    },
    { seriesLabels: { job: /^sidecar/, instance: target.address } },
  ]);
  t.same(new Set(target.requests.map(({ url }) => url)), new Set(['/metrics', '/other']));
  exemplard.signal('SIGTERM');
  t.equal(await exemplard.ended, 0);
});

t.test('a second signal does not wait for a receiver that hangs', async (t) => {
  const target = await serveTarget(body(`a_total 1 ${exemplar('a')}\n# EOF\n`));
  const receiver = await serveTarget(() => {});
  t.teardown(() => Promise.all([target.close(), receiver.close()]));
  const file = await writeConfig(
    'hanging.yml',
    `remote_write: [{url: '${receiver.url.origin}', queue_config: {batch_send_deadline: 100ms}}]
scrape_configs: [{job_name: a, scrape_interval: 1s, static_configs: [{targets: ['${target.address}']}]}]\n`,
  );
  const exemplard = await start(t, `--config.file=${file}`);
  await until(() => receiver.inFlight() > 0, 'a request');
  exemplard.signal('SIGTERM');
  await until(() => /msg=stopping/.test(exemplard.log()), 'it to begin stopping');
  const startMs = performance.now();
  exemplard.signal('SIGTERM');
  t.equal(await exemplard.ended, 1);
  t.ok(performance.now() - startMs < 8_000);
});

t.test('exit codes', async (t) => {
  const good = await writeConfig('good.yml', 'scrape_configs: [{job_name: a}]\n');
  const bad = await writeConfig('bad.yml', 'global: {scrape_intervall: 5s}\n');
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const busy = await serveTarget();
  t.teardown(() => busy.close());
  const cases: [code: number, stdout: RegExp, stderr: RegExp, ...args: string[]][] = [
    [0, new RegExp(`^${version}\n$`), /^$/, '--version'],
    [0, /^Usage: exemplard [\s\S]*--config\.file[\s\S]*--scrape[\s\S]*query/, /^$/, '--help'],
    [0, /^Usage: exemplard query retention /, /^$/, 'query', 'retention', '--help'],
    [0, /^SUCCESS: /, /^$/, 'check', 'config', good],
    [1, /bad\.yml:1:10: unknown key "scrape_intervall"/, /^$/, 'check', 'config', bad],
    [1, /none\.yml:1:1: the file cannot be read/, /^$/, 'check', 'config', join(directory, 'none.yml')],
    [1, /^$/, /bad\.yml:1:10: /, `--config.file=${bad}`],
    [1, /^$/, /EADDRINUSE/, '--scrape=http://127.0.0.1:1', `--web.listen-address=${busy.address}`],
    [1, /^$/, /cannot be reached/, 'query', 'retention', '--server=http://127.0.0.1:1'],
    [2, /^$/, /--config\.file/],
    [2, /^$/, /unknown option '--nonsense'/, '--nonsense'],
    [2, /^$/, /nonsense|too many arguments/, 'nonsense'],
    [2, /^$/, /use one of them/, `--config.file=${good}`, '--scrape=http://127.0.0.1:1'],
    [2, /^$/, /"x" is not HOST:PORT/, '--scrape=http://127.0.0.1:1', '--web.listen-address=x'],
    [2, /^$/, /log\.level/, '--scrape=http://127.0.0.1:1', '--log.level=loud'],
    [2, /^$/, /missing required argument/, 'check', 'config'],
    [2, /^$/, /Usage: exemplard query/, 'query'],
  ];
  for (const [code, stdout, stderr, ...args] of cases) {
    t.match(await runNode([program, ...args]), { code, stdout, stderr }, args.join(' ') || 'nothing');
  }
});

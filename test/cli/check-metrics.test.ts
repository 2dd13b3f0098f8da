import { createServer } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { type CheckMetricsOptions, checkMetrics } from '../../src/cli/check-metrics.js';
import { runCli } from '../../src/cli/cli.js';
import { startApp } from '../support/app.js';
import { freePort } from '../support/prometheus.js';
import { OPENMETRICS, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

const ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const TEXT = 'text/plain; version=0.0.4; charset=utf-8';

const now = () => (Date.now() / 1000).toFixed(3);
const sound = (exemplar = `{trace_id="${ID}"} 1 ${now()}`) =>
  `# TYPE a counter\na_total{b="c"} 1 # ${exemplar}\n# EOF\n`;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function check(
  source: string,
  options: Partial<CheckMetricsOptions> = {},
  stdin = '',
): Promise<Outcome> {
  const outcome = { stdout: '', stderr: '' };
  const code = await checkMetrics(
    source,
    { output: 'text', timeout: '5s', header: [], insecure: false, ...options },
    {
      stdout: (text) => {
        outcome.stdout += text;
      },
      stderr: (text) => {
        outcome.stderr += text;
      },
      stdin: (async function* () {
        yield Buffer.from(stdin);
      })(),
    },
  );
  return { code, ...outcome };
}

async function checkJson(source: string, options: Partial<CheckMetricsOptions> = {}, stdin = '') {
  const { code, stdout } = await check(source, { ...options, output: 'json' }, stdin);
  const json = JSON.parse(stdout);
  return { ...json, code, codes: json.findings.map((finding: { code: string }) => finding.code) };
}

t.test('of exemplard itself, which scrapes itself, there is nothing to warn about', async (t) => {
  const app = await startApp('archive: {type: none}');
  t.teardown(() => app.stop());
  await app.reload(`
archive: {type: none}
scrape_configs:
  - {job_name: self, scrape_interval: 1s, scrape_timeout: 1s, static_configs: [{targets: ['${new URL(app.url).host}']}]}`);
  await until(async () => (await app.metrics()).includes(' # {'), 'exemplars of its own');
  t.match(await checkJson(`${app.url}/metrics`), { code: 0, codes: ['trace_id_label_missing'] });
});

t.test('a file, and standard input', async (t) => {
  const directory = t.testdir({ good: sound(), bad: 'a{b=c} 1\n# EOF\n', classic: 'a 1\n' });
  const good = await checkJson(join(directory, 'good'));
  t.match(good, {
    code: 0,
    verdicts: { openmetrics: 'accept', prometheus: 'accept' },
    errors: [],
    exemplars: 1,
    families: [{ name: 'a', type: 'counter', series: 1, exemplars: 1 }],
    findings: [],
    answers: [],
    repeats: null,
  });
  const bad = await checkJson(join(directory, 'bad'));
  t.match(bad, {
    code: 1,
    verdicts: { openmetrics: 'reject', prometheus: 'reject' },
    errors: [{ line: 1, column: 5 }],
  });
  t.ok(bad.errors.every((error: object) => Object.keys(error).join() === 'line,column,message'));
  t.same((await checkJson(join(directory, 'classic'), { format: 'text' })).codes, ['text_format_only']);
  t.match(await checkJson('-', {}, sound()), { code: 0, source: 'standard input', exemplars: 1 });
  t.match(await checkJson('-', { format: 'protobuf' }, 'x'), {
    code: 1,
    verdicts: null,
    codes: ['protobuf_unreadable'],
  });
  t.match(await check(join(directory, 'none')), {
    code: 1,
    stdout: '',
    stderr: /none: there is no such file/,
  });
  t.match(await check(directory), { code: 1, stderr: /this is a directory/ });
});

t.test('an endpoint that answers as it is asked', async (t) => {
  const exemplar = `{trace_id="${ID}"} 1 ${now()}`;
  const target = await serveTarget((response, { headers }) => {
    if (!/openmetrics/.test(headers.accept ?? ''))
      response.writeHead(200, { 'content-type': TEXT }).end('a_total 1\n');
    else
      response
        .writeHead(200, { 'content-type': OPENMETRICS, 'content-encoding': 'gzip' })
        .end(gzipSync(sound(exemplar)));
  });
  t.teardown(() => target.close());
  const report = await checkJson(target.url.href);
  t.match(report, { code: 0, source: target.url.href, exemplars: 1, codes: ['exemplars_repeating'] });
  t.same(report.repeats, { exemplars: 1, repeated: 1 });
  t.match(
    report.answers.map(({ askedFor, contentType, gzip, exemplars }: Record<string, unknown>) => [askedFor, contentType, gzip, exemplars]), // biome-ignore format: one list
    [
      ['what a scrape asks for', OPENMETRICS, true, 1],
      ['OpenMetrics 1.0.0', OPENMETRICS, true, 1],
      ['OpenMetrics 2.0.0', OPENMETRICS, true, 1],
      ['protobuf', TEXT, false, 0],
      ['text/plain', TEXT, false, 0],
      ['no Accept header', TEXT, false, 0],
    ],
  );
  t.same(
    target.requests.map(({ headers }) => headers.accept?.split(';')[0]?.split('/')[1]),
    ['openmetrics-text', 'openmetrics-text', 'openmetrics-text', 'vnd.google.protobuf', 'plain', undefined, 'openmetrics-text'], // biome-ignore format: one list
  );
  t.equal(target.requests[0]!.headers['x-prometheus-scrape-timeout-seconds'], '5');
});

t.test('an endpoint that has exemplars in another format alone', async (t) => {
  const target = await serveTarget((response, { headers }) => {
    const isAskedFor = headers.accept === 'application/openmetrics-text;version=1.0.0';
    response
      .writeHead(200, { 'content-type': isAskedFor ? OPENMETRICS : TEXT })
      .end(isAskedFor ? sound() : 'a_total 1\n');
  });
  t.teardown(() => target.close());
  const report = await checkJson(target.url.href);
  t.match(report, { code: 1, format: 'openmetrics', exemplars: 1 });
  t.ok(report.codes.includes('exemplars_in_other_format'));
  const { stdout } = await check(target.url.href);
  t.match(stdout, /scrape_protocols for the job so that OpenMetrics 1\.0\.0 comes first/);
});

/** Two exemplars on one sample, which only this version has. */
const version2 = () =>
  `# TYPE a counter\na_total 2 # {trace_id="${ID}"} 1 ${now()} # {trace_id="${'b'.repeat(32)}"} 1 ${now()}\n# EOF\n`;

t.test('OpenMetrics 2.0', async (t) => {
  const asked = await checkJson('-', { format: 'openmetrics2' }, version2());
  t.match(asked, { code: 0, format: 'openmetrics2', verdicts: null, exemplars: 2, codes: ['openmetrics_2'] });
  const { stdout } = await check('-', { format: 'openmetrics2' }, version2());
  t.match(stdout, 'OpenMetrics 1.0  is another version\nPrometheus 3     does not read it\n');
  t.match(stdout.replace(/\s+/g, ' '), 'Prometheus 3.14 does not read it. → exemplard reads it.');
  const body = version2();
  const target = await serveTarget((response, { headers }) => {
    const is2 = headers.accept === 'application/openmetrics-text;version=2.0.0';
    response
      .writeHead(200, { 'content-type': is2 ? 'application/openmetrics-text; version=2.0.0' : TEXT })
      .end(is2 ? body : 'a_total 1\n');
  });
  t.teardown(() => target.close());
  const report = await checkJson(target.url.href);
  t.match(report, { code: 1, format: 'openmetrics2', exemplars: 2 });
  t.same(report.codes.toSorted(), ['exemplars_in_other_format', 'exemplars_repeating', 'openmetrics_2']);
});

t.test('what is wrong with an endpoint', async (t) => {
  const target = await serveTarget((response, { url = '', headers }) => {
    const status = /^\/(\d{3})$/.exec(url)?.[1];
    if (status !== undefined) response.writeHead(Number(status), { location: url }).end();
    else if (url === '/html') response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
    else if (url === '/bare') response.writeHead(200).end(sound());
    else if (url === '/slow') response.writeHead(200, { 'content-type': OPENMETRICS }).write('a 1\n');
    else if (url === '/nogzip')
      response
        .writeHead(200, { 'content-type': OPENMETRICS, 'content-encoding': 'gzip' })
        .end('a 1\n# EOF\n');
    else if (url === '/halfgzip')
      response
        .writeHead(200, { 'content-type': OPENMETRICS, 'content-encoding': 'gzip' })
        .end(gzipSync(sound().repeat(9)).subarray(0, 60));
    else if (url.startsWith('/encoding/'))
      response
        .writeHead(200, { 'content-type': OPENMETRICS, 'content-encoding': url.slice(10) })
        .end(sound());
    else if (url.startsWith('/to/'))
      response.writeHead(302, url === '/to/' ? {} : { location: decodeURIComponent(url.slice(4)) }).end();
    else if (url === '/cut')
      response.writeHead(200, { 'content-length': 100 }).write('a', () => response.destroy());
    else
      response
        .writeHead(200, { 'content-type': OPENMETRICS, 'x-auth': headers.authorization ?? '' })
        .end(sound());
  });
  t.teardown(() => target.close());
  const codes = async (path: string, options = {}) =>
    (await checkJson(new URL(path, target.url).href, options)).codes;
  t.same(await codes('/401'), ['unauthorized']);
  t.same(await codes('/403'), ['forbidden']);
  t.same(await codes('/404'), ['not_found']);
  t.same(await codes('/302'), ['redirect']);
  t.same(await codes('/500'), ['http_status']);
  t.same(await codes('/406'), ['not_acceptable']);
  t.same(await codes('/html'), ['answer_is_html']);
  t.same(await codes('/slow', { timeout: '200ms' }), ['timeout']);
  t.same(await codes('/nogzip'), ['bad_encoding']);
  t.same(await codes('/cut'), ['connection_lost']);
  const said = async (path: string) => {
    const { findings } = await checkJson(new URL(path, target.url).href);
    return `${findings[0].code}: ${findings[0].message} ${findings[0].next}`;
  };
  t.match(await said('/cut'), /after 1 of the 100 bytes of its Content-Length/);
  t.match(await said('/halfgzip'), /^bad_encoding: The answer is gzip, but cut short/);
  for (const encoding of ['br', 'deflate', 'zstd', 'compress', 'x-gzip'])
    t.match(
      await said(`/encoding/${encoding}`),
      new RegExp(`^encoding_not_asked_for: .* by ${encoding} .* Answer with gzip or without compression`),
    );
  t.same(await codes('/encoding/utf-8'), [], 'harms nobody');
  t.match(
    await said('/302'),
    /a redirect after ten others\. The redirects go round in circles, now to \/302\./,
  );
  t.match(await said('/to/'), /a redirect without Location, which leads nowhere\./);
  t.match(
    await said('/to/file%3A%2F%2F%2Fetc'),
    /a redirect to file:, which is neither http: nor https:\. Mend/,
  );
  t.match(await said('/to/http%3A%2F%2F%5Bx'), /whose Location is no valid URL\. Mend the Location/);
  t.ok((await codes('/bare')).includes('content_type_missing'));
  t.notOk((await codes('/bare', { format: 'openmetrics' })).includes('answer_is_html'));
  t.same(await codes(`http://127.0.0.1:${await freePort()}/`), ['connection_refused']);
  t.same(await codes('http://nowhere.invalid/'), ['host_unknown']);
  t.same(await codes(target.url.href.replace('http:', 'https:')), ['tls']);
  const { stdout, code } = await check(new URL('/401', target.url).href);
  t.equal(code, 1);
  t.match(stdout, 'HTTP status 401 instead of metrics.');
  const garbage = createServer((socket) => socket.end('hello\r\n')).listen(0, '127.0.0.1');
  t.teardown(() => garbage.close());
  await new Promise((resolve) => garbage.once('listening', resolve));
  const { port } = garbage.address() as { port: number };
  t.same(await codes(`http://127.0.0.1:${port}/`), ['not_http']);
});

t.test('credentials are sent, and not shown', async (t) => {
  const target = await serveTarget((response) =>
    response.writeHead(200, { 'content-type': OPENMETRICS }).end(sound()),
  );
  t.teardown(() => target.close());
  const url = target.url.href.replace('http://', 'http://ann:s3cret@');
  const { code, stdout } = await check(`${url}?token=t0ken`, { header: ['X-Tenant: t3nant'] });
  t.equal(code, 0);
  t.notMatch(stdout, /s3cret|t0ken|t3nant/);
  const { headers, url: path } = target.requests[0]!;
  t.equal(headers.authorization, `Basic ${Buffer.from('ann:s3cret').toString('base64')}`);
  t.equal(headers['x-tenant'], 't3nant');
  t.equal(path, '/metrics?token=t0ken');
});

t.test('what people read', async (t) => {
  const { stdout, code } = await check('-', {}, sound(`{traceid="${ID}"} 1 ${now()}`));
  t.equal(code, 1);
  t.match(stdout, /^standard input\n\nFormat {11}OpenMetrics, \d+ B\n/);
  t.match(
    stdout,
    'OpenMetrics 1.0  conforms\nPrometheus 3     takes it in\nExemplars        1, on 1 line of samples',
  );
  t.match(stdout, /WARNING {2}line 2, column 20: 1 exemplar has the id of the trace/);
  t.ok(stdout.split('\n').every((line) => line.length <= 100));
  t.match((await check('-', {}, sound())).stdout, /Nothing to complain about\.\n$/);
});

t.test('what people read where there are no metrics, or no text', async (t) => {
  const page = await check('-', {}, '<html>\n<p>a\n</html>\n');
  t.equal(
    page.stdout.split('\n').slice(0, 3).join('|'),
    'standard input||ERROR    The file is a web page, not metrics.',
  );
  t.equal(page.code, 1);
  const gzip = t.testdir({ 'a.gz': gzipSync(sound()) });
  t.match((await check(join(gzip, 'a.gz'))).stdout, /is gzip, not text\.\n +→ Unpack it first/);
  t.same((await checkJson(join(gzip, 'a.gz'), { format: 'protobuf' })).codes, ['body_is_gzip']);
  const { stdout } = await check('-', { format: 'protobuf' }, '');
  t.notMatch(stdout, /it has no text/);
  const target = await serveTarget((response) => response.writeHead(200).end(sound()));
  t.teardown(() => target.close());
  t.match(await checkJson(target.url.href), { verdicts: { openmetrics: 'accept', prometheus: 'reject' } });
  t.match(
    (await check(target.url.href)).stdout,
    'Prometheus 3     fails the whole scrape for its Content-Type; the body itself would be taken in\n',
  );
  const large = `${'# HELP a b\n'.repeat(800_000)}${sound()}`;
  t.match((await check('-', {}, large)).stderr, /^examining 8\.\d MiB …\n$/);
});

t.test('wrong usage', async (t) => {
  t.match(await check('http://', {}), { code: 2, stderr: /is not a URL like/ });
  t.match(await check('-', { timeout: 'abc' }), { code: 2, stderr: /--timeout must be a duration/ });
  t.match(await check('http://a/', { timeout: '5' }), { code: 2, stderr: /--timeout must be a duration/ });
  t.match(await check('http://a/', { header: ['x'] }), { code: 2, stderr: /--header must be like/ });
  t.match(await check('http://a/', { header: ['Accept: x'] }), { code: 2, stderr: /must not be Accept/ });
  const said: string[] = [];
  t.intercept(process.stderr, 'write', { value: (text: string) => said.push(text) > 0 });
  t.equal(await runCli(['check', 'metrics']), 2);
  t.match(said.join(''), "'source'\n(exemplard check metrics --help shows what there is)");
  t.equal(await runCli(['check', 'metrics', '-', '--format=xml']), 2);
});

t.test('help has no lists of a program in it', async (t) => {
  const said: string[] = [];
  t.intercept(process.stdout, 'write', { value: (text: string) => said.push(text) > 0 });
  for (const command of [[], ['check', 'metrics'], ['size'], ['query', 'retention']])
    t.equal(await runCli([...command, '--help']), 0);
  const help = said.join('').replace(/\s+/g, ' ');
  t.notMatch(help, /\[\]/);
  t.match(help, '(default: 127.0.0.1:9199)');
  t.match(help, '--header <name: value> of each request; repeatable (default: none)');
});

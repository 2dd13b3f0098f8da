/** `sampling`: what it comes to, and what is wrong with it. */
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { DEFAULT_HTTP_CLIENT } from '../../src/http-client/options.js';
import { DEFAULT_SAMPLING_JOB, DEFAULT_TRACE_TABLES, ERROR_SELECTORS } from '../../src/sampler/options.js';

const read = (...lines: string[]) =>
  loadConfig(
    [
      'scrape_configs: [{job_name: a}]',
      'sampling:',
      '- job_name: j',
      ...lines.map((line) => `  ${line}`),
    ].join('\n'),
    '/etc/f.yml',
    {},
  );

function job(...lines: string[]) {
  const result = read(...lines);
  if (!result.ok) throw new Error(result.errors.map(({ message }) => message).join('; '));
  return result.config.sampling[0]!;
}

function errors(...lines: string[]): string[] {
  const result = read(...lines);
  return result.ok ? [] : result.errors.map(({ line, column, message }) => `${line}:${column}: ${message}`);
}

t.test('what it comes to', async (t) => {
  t.same(job(), { ...DEFAULT_SAMPLING_JOB, jobName: 'j' });
  t.same(
    job(
      'schedule: "30 */5 * * * *"',
      'window: 1m',
      "match: [\"{job='shop', path=~'/a.*'}\"]",
      'group_by: [__name__, path]',
      'per_group: 2',
      'policies: [{type: errors, share: 50%}, {type: slowest, match: [m]}, {type: probabilistic, name: base, rate: 1%}]',
      'budget: {traces_per_run: 5, service_share: 0.5}',
      'traces: {source: otel.spans, kept: otel.kept, kept_ttl: 90d, url: "http://w:p@a:8123", cluster: c}',
      'webhook: {url: http://h/hook, retries: 0, bearer_token: x}',
    ),
    {
      ...DEFAULT_SAMPLING_JOB,
      jobName: 'j',
      schedule: '30 */5 * * * *',
      windowMs: 60_000,
      selectors: [
        [
          { type: '=', name: 'job', value: 'shop' },
          { type: '=~', name: 'path', value: '/a.*' },
        ],
      ],
      groupBy: ['__name__', 'path'],
      policies: [
        { name: 'errors', type: 'errors', share: 0.5, perGroup: 2, selectors: ERROR_SELECTORS, rate: 0.001 },
        {
          name: 'slowest',
          type: 'slowest',
          share: 0.25,
          perGroup: 2,
          selectors: [[{ type: '=', name: '__name__', value: 'm' }]],
          rate: 0.001,
        },
        { name: 'base', type: 'probabilistic', share: 0.25, perGroup: 2, selectors: [], rate: 0.01 },
      ],
      budget: { ...DEFAULT_SAMPLING_JOB.budget, tracesPerRun: 5, serviceShare: 0.5 },
      traces: {
        ...DEFAULT_TRACE_TABLES,
        source: 'otel.spans',
        kept: 'otel.kept',
        keptTtlMs: 90 * 24 * 60 * 60_000,
        server: {
          urls: ['http://a:8123/'],
          user: 'w',
          password: { text: 'p' },
          tls: DEFAULT_HTTP_CLIENT.tls,
          database: 'default',
          cluster: 'c',
        },
      },
      webhook: {
        url: 'http://h/hook',
        shownUrl: 'http://h/hook',
        timeoutMs: 10_000,
        retries: 0,
        httpClient: {
          ...DEFAULT_HTTP_CLIENT,
          auth: { type: 'authorization', scheme: 'Bearer', credentials: { text: 'x' } },
        },
      },
    },
  );
});

t.test('what is wrong with it', async (t) => {
  t.match(
    errors('schedule: "61 * * * *"')[0],
    /^4:13: sampling\[0\]\.schedule must be a cron expression like .*, got "61 \* \* \* \*": /,
  );
  t.match(errors('schedule: "@hourly"')[0], /^4:13: .*got "@hourly": names of expressions are not read$/);
  t.match(errors('schedule: nonsense')[0], /^4:13: /);
  t.same(errors('window: 5s'), ['4:11: sampling[0].window must be a duration from 10s to 1d, got "5s"']);
  t.same(errors('catch_up: 60d'), [
    '4:13: sampling[0].catch_up must be a duration of at most 28d, got "60d"',
  ]);
  t.match(
    errors('match: ["{a=~\'a)(b\'}"]')[0],
    /^4:11: sampling\[0\]\.match: 1:\d+: parse error: error parsing regexp/,
  );
  t.match(errors('match: ["{a=~\'\\\\C\'}"]')[0], /^4:11: /);
  t.match(errors('match: [a, "1 + 1"]')[0], /^4:14: .*not a series selector/);
  t.same(errors('policies: []'), ['4:13: sampling[0].policies is empty: nothing is chosen']);
  t.same(errors('policies: [{type: rare, share: 0.6}, {type: errors, share: 50%}]'), ['4:13: sampling[0].policies have shares of more than 1 together']); // biome-ignore format: one line
  t.match(
    errors('policies: [{type: rare}, {type: rare}]')[0],
    /policies\[1\]\.name "rare" is taken by sampling\[0\]\.policies\[0\]/,
  );
  t.match(errors('policies: [{type: rare, rate: 0.1}]')[0], /rate needs .*type probabilistic/);
  t.match(errors('policies: [{type: rare, share: 2}]')[0], /a part from 0 to 1/);
  t.match(errors('traces: {source: "a; DROP TABLE b"}')[0], /a table, or database\.table, of letters/);
  t.match(errors('traces: {source: a, kept: a}')[0], /kept must be another table/);
  t.match(errors('traces: {user: u}')[0], /user needs .*url/);
  t.match(errors('webhook: {}')[0], /webhook\.url is missing/);
  t.match(errors('windows: 5m')[0], /did you mean "window"/);
  const twice = loadConfig(
    'scrape_configs: [{job_name: a}]\nsampling: [{job_name: j}, {job_name: j}, {job_name: pinned}]',
    'f',
    {},
  );
  t.match(twice.ok ? [] : twice.errors, [
    { message: /job_name "j" is taken/ },
    { message: /"pinned" is taken/ },
  ]);
});

t.test('what is worth saying about it', async (t) => {
  const warnings = (...lines: string[]) =>
    read(...lines).warnings.map(({ line, column, message }) => `${line}:${column}: ${message}`);
  t.same(warnings('catch_up: 1h', 'settle: 2h', 'group_by: [le, path, le]'), [
    '5:11: sampling[0].settle is longer than sampling[0].catch_up: windows that were missed are not made up for',
    '6:24: sampling[0].group_by has "le" twice',
  ]);
  t.same(warnings('catch_up: 30s').length, 1);
  t.same(warnings('catch_up: 0s', 'group_by: [a, b]'), []);
  const ofArchive = (type: string) =>
    loadConfig(
      `scrape_configs: [{job_name: a}]\narchive: {type: ${type}}\nsampling:\n- job_name: j`,
      'f',
      {},
    ).warnings.map(({ line, column, message }) => `${line}:${column}: ${message}`);
  t.same(ofArchive('none'), [
    '4:13: sampling has no effect with archive.type none: traces are chosen from the archive',
  ]);
  t.same(ofArchive('chdb'), []);
});

t.test('passwords are not shown', async (t) => {
  const { text } = (read('traces: {url: "http://w:SECRET@a"}') as { config?: { text: string } }).config ?? {
    text: '',
  };
  t.notMatch(text, /SECRET/);
  t.notMatch(errors('traces: {url: "http://w:SECRET@a", password: SECRET}').join(), /SECRET/);
});

/** Values that targets can choose, through everything: scrape, journal, archive, and back over HTTP. */
import { join } from 'node:path';
import t from 'tap';
import { rowsOf } from '../../src/clickhouse/database.js';
import { type RunningApp, startApp } from '../support/app.js';
import { archiveQuery, openArchive, shown } from '../support/archives.js';
import { seriesOf } from '../support/batch.js';
import { temporaryDirectory } from '../support/build.js';
import { openChdb } from '../support/chdb.js';
import { engineDirectory, WITHOUT_CHDB } from '../support/databases.js';
import type { QueriedSeries } from '../support/prometheus.js';
import { body, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

const VALUES = [
  "'; DROP TABLE exemplars; --",
  '"quoted"',
  'back\\slash\\n\\',
  'a\n\nCREATE TABLE pwned (x UInt8) ENGINE = Memory\n\n',
  '\n',
  '{"metric":"x"}\n{"metric":"y"}',
  '{p0:String} {name:Identifier}',
  'nul\u0000nul',
  '\u0001\u001f\u007f\u0085\u2028\u2029\ufeff',
  '\t\r\b\f\v',
  '😀é́ ',
  '%00%0a$x`x`',
  "\\N \\x27 ' OR 1=1 --",
  ' ',
];
const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'value', 'labels', 'fp'];
/** A series of 64 KiB and more is not scraped. */
const LONGEST = 'm'.repeat(60_000);
const MEGABYTE = `"\n\n${'m'.repeat(1024 * 1024)}`;

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

interface Made {
  readonly series: Record<string, string>;
  readonly exemplar: Record<string, string>;
}

const record = (pairs: readonly (readonly [string, string])[]) =>
  Object.assign(Object.create(null), Object.fromEntries(pairs)) as Record<string, string>;

const MADE: readonly Made[] = [
  ...VALUES.map((value, n) => ({
    series: record([['n', `${n}`], ['odd', value]]),
    exemplar: record([['trace_id', value.slice(0, 40)], ['other', value.slice(0, 40)]]),
  })),
  ...NAMES.map((name, n) => ({
    series: record([['n', `name${n}`], [name, 'x']]),
    exemplar: record([[name, 'y'], ['span_id', "z'"]]),
  })),
  { series: record([['n', 'big'], ['odd', LONGEST]]), exemplar: record([['trace_id', 'b'.repeat(32)]]) },
]; // biome-ignore format: a table

const pairsText = (labels: Record<string, string>) =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');

function exposition(): string {
  const lines = MADE.map(
    ({ series, exemplar }, n) => `hostile_total{${pairsText(series)}} 1 # {${pairsText(exemplar)}} ${n}`,
  );
  return `# TYPE hostile counter\n${lines.join('\n')}\n# EOF\n`;
}

async function ask(app: RunningApp, path: string, parameters: Record<string, string>) {
  const response = await fetch(`${app.url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
  return (await response.json()) as { status: string; data: QueriedSeries[]; warnings?: string[] };
}

/** `__proto__` is a label, so it is compared as text. */
function comparable(labels: Record<string, string>, without: readonly string[]): string {
  const pairs = Object.entries(labels).filter(([name]) => !without.includes(name));
  return JSON.stringify(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
}

t.test('come back equal, and execute nothing', { ...WITHOUT_CHDB, timeout: 120_000 }, async (t) => {
  const target = await serveTarget(body(exposition()));
  t.teardown(() => target.close());
  const directory = await temporaryDirectory(t);
  const config = `scrape_configs: [{job_name: j, scrape_interval: 1s, static_configs: [{targets: ['${target.address}']}]}]`;
  const start = () => startApp(config, directory);
  let app = await start();
  t.teardown(() => app.stop().catch(() => {}));
  const archived = async () => {
    const { data, warnings } = await ask(app, 'query_exemplars', {
      query: 'hostile_total',
      start: '-1e10',
      end: '1e11',
      source: 'archive',
    });
    t.equal(warnings, undefined);
    return data;
  };
  const check = async (what: string) => {
    const data = await archived();
    const found = new Map(data.map((series) => [series.seriesLabels.n, series]));
    for (const { series, exemplar } of MADE) {
      const one = found.get(series.n!);
      const name = `${what}: ${series.n}`;
      if (one === undefined) {
        t.fail(name);
        continue;
      }
      const wanted = comparable(series, []);
      t.ok(comparable(one.seriesLabels, ['__name__', 'job', 'instance']) === wanted, `${name}, its series`);
      t.equal(comparable(one.exemplars[0]!.labels, []), comparable(exemplar, []), `${name}, its exemplar`);
    }
    t.equal(found.size, MADE.length);
  };
  await until(async () => (await archived()).length > 0, 'a scrape');
  await check('on its way');
  await until(async () => /exemplard_archive_pending_rows 0\n/.test(await app.metrics()), 'all to be archived'); // biome-ignore format: one statement
  await check('archived');
  t.match(await app.metrics(), /exemplard_archive_refused_rows_total 0\n/);
  await app.stop();
  app = await start();
  await check('after a restart');

  for (const [n, value] of VALUES.entries()) {
    const query = `hostile_total{odd=${JSON.stringify(value).replaceAll('\u007f', '\\x7f')}}`;
    const parameters = { query, start: '-1e10', end: '1e11', source: 'archive' };
    const { data } = await ask(app, 'query_exemplars', parameters);
    t.same(data?.map((series) => series.seriesLabels.n), [`${n}`], `selected by value ${n}`); // biome-ignore format: one comparison
    const id = encodeURIComponent(value.slice(0, 40).trim());
    if (id === '' || id === '.' || id === '%00') continue;
    const trace = await ask(app, `traces/${id}/exemplars`, {});
    t.equal(trace.status, 'success');
  }
  const labelNames = (await ask(app, 'labels', {})).data as unknown as string[];
  for (const name of NAMES) t.ok(labelNames.includes(name), name);
  const values = (await ask(app, 'label/odd/values', {})).data as unknown as string[];
  t.same(VALUES.filter((value) => !values.includes(value)), []); // biome-ignore format: one comparison
  t.ok(values.includes(LONGEST), 'a long one');
  await app.stop();
  const database = openChdb(join(directory, 'chdb'));
  t.teardown(() => database.close());
  const tables = await rowsOf<{ name: string }>(
    database,
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND name NOT LIKE '.inner%' ORDER BY name",
  );
  t.same(tables.map(({ name }) => name), ['exemplar_series', 'exemplar_series_view', 'exemplard_schema', 'exemplars']); // biome-ignore format: one comparison
});

t.test('what UTF-8 cannot say, and a megabyte of it', WITHOUT_CHDB, async (t) => {
  const database = openChdb(await engineDirectory(t));
  t.teardown(() => database.close());
  const { archive, append, meter } = openArchive(t, database);
  append([
    {
      series: seriesOf(1, { __name__: 'x', 'a\ud800': '\udfff' }),
      timestampMs: Date.now(),
      labels: { trace_id: '\ud800', 'b\udc00': 'c\ud83d' },
    },
    {
      series: seriesOf(2, { __name__: 'y', big: MEGABYTE }),
      timestampMs: Date.now(),
      labels: { big: MEGABYTE },
    },
  ]);
  await until(() => archive.status.pendingRows === 0, 'both to be in');
  t.equal(meter.refusedRows, 0);
  const { found } = await archive.exemplars(archiveQuery());
  const [x, y] = shown(found) as { labels: Record<string, string>; series: Record<string, string> }[];
  t.match(x, {
    series: { __name__: 'x', 'a\ufffd': '\ufffd' },
    labels: { trace_id: '\ufffd', 'b\ufffd': 'c\ufffd' },
  });
  t.ok(y!.series.big === MEGABYTE && y!.labels.big === MEGABYTE);
});

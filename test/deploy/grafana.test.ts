/** `deploy/grafana`: what Grafana needs to load it, as far as its files tell. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.js';
import { TRACE_ID_LABELS } from '../../src/model/exemplar.js';
import { parseExpression } from '../../src/query/expression.js';
import { ROOT, temporaryDirectory } from '../support/build.js';
import { openChdb, skipWithoutChdb } from '../support/chdb.js';
import { allPanels, chosenValues, interpolate, type Panel, readDashboards, timeValues } from '../support/grafana.js'; // biome-ignore format: one import
import { OTEL_TRACES } from '../support/sampling.js';

interface Destination {
  readonly name: string;
  readonly datasourceUid?: string;
  readonly url?: string;
  readonly urlDisplayLabel: string;
}

interface DataSource {
  readonly name: string;
  readonly uid: string;
  readonly type: string;
  readonly jsonData: {
    readonly exemplarTraceIdDestinations?: Destination[];
    readonly tracesToMetrics?: { datasourceUid: string; queries: { query: string }[] };
    readonly traces?: { defaultTable: string };
  };
}

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
/** Where Grafana puts the trace id. */
const VALUE = /\$\{__value\.raw\}/;
/** As Grafana does with environment variables in these files: a doubled dollar is one. */
const provisioned = (text: string) => text.replaceAll('$$', '$');
const { datasources } = parse(
  provisioned(read('deploy/grafana/provisioning/datasources/exemplard.yaml')),
) as {
  datasources: DataSource[];
};
const readme = read('deploy/grafana/README.md');
const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text]) => text!);

t.test('data sources are linked both ways', async (t) => {
  const uids = datasources.map(({ uid }) => uid);
  t.equal(new Set(uids).size, uids.length);
  t.match(read('deploy/grafana/provisioning/datasources/exemplard.yaml'), /\$\$\{__value\.raw\}/);
  const metrics = datasources.filter(({ type }) => type === 'prometheus');
  t.equal(metrics.length, 2);
  for (const { name, jsonData } of metrics) {
    const destinations = jsonData.exemplarTraceIdDestinations!;
    for (const label of TRACE_ID_LABELS) {
      const [internal, external, ...more] = destinations.filter((each) => each.name === label);
      t.same(more, []);
      t.equal(internal?.datasourceUid, 'tempo', `${name}: ${label} to Tempo`);
      t.ok(new URL(external!.url!).href && VALUE.test(external!.url!), `${name}: ${label}`);
    }
    t.equal(destinations.length, 2 * TRACE_ID_LABELS.length);
  }
  const tempo = datasources.find(({ type }) => type === 'tempo')!.jsonData.tracesToMetrics!;
  t.ok(metrics.some(({ uid }) => uid === tempo.datasourceUid));
  for (const { query } of tempo.queries) {
    t.match(query, '{$__tags}');
    t.doesNotThrow(() => parseExpression(query.replace('$__tags', 'job="shop"')), query);
  }
});

t.test('dashboards', async (t) => {
  const dashboards = readDashboards();
  t.equal(dashboards.size, 2);
  for (const [file, dashboard] of dashboards) {
    t.ok(dashboard.schemaVersion >= 36 && dashboard.uid.length <= 40, file);
    const names = dashboard.templating.list.map(({ name }) => name);
    for (const name of ['datasource', 'job', 'instance']) t.ok(names.includes(name), `${file}: $${name}`);
    const panels = allPanels(dashboard);
    t.equal(new Set(panels.map(({ id }) => id)).size, panels.length, `${file}: ids differ`);
    t.same(overlapping(dashboard.panels), [], `${file}: nothing lies over something else`);
    for (const { type, title, description, targets = [], fieldConfig, options } of panels as (Panel & {
      options?: { yAxis?: { unit?: string } };
    })[]) {
      if (type === 'row' || type === 'text') continue;
      t.ok((description ?? '').length > 5, `${file}: ${title} says what to do`);
      t.ok(fieldConfig?.defaults.unit ?? options?.yAxis?.unit, `${file}: ${title} has a unit`);
      t.ok(targets.length > 0);
      const values = { ...chosenValues(dashboard), ...timeValues({ stepSeconds: 15, rangeSeconds: 3600, scrapeSeconds: 15 }) }; // biome-ignore format: one statement
      for (const { expr, datasource } of targets) {
        t.equal(datasource.uid, `\${datasource}`, `${file}: ${title}`);
        t.doesNotThrow(() => parseExpression(interpolate(expr, values)), `${title}: ${expr}`);
      }
    }
  }
  const latency = allPanels(dashboards.get('latency.json')!).filter(({ targets = [] }) => targets.some(({ exemplar }) => exemplar)); // biome-ignore format: one statement
  t.same(new Set(latency.map(({ type }) => type)), new Set(['timeseries', 'heatmap']), 'both show exemplars');
  for (const { title, targets } of latency)
    t.equal(targets!.findIndex(({ exemplar }) => exemplar), 0, `${title}: Grafana skips exemplars of later ones`); // biome-ignore format: one statement
});

function overlapping(panels: readonly Panel[]): string[] {
  const hits = (a: Panel['gridPos'], b: Panel['gridPos']) =>
    a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
  return panels.flatMap((one, i) =>
    panels
      .slice(i + 1)
      .flatMap((other) => (hits(one.gridPos, other.gridPos) ? [`${one.title}/${other.title}`] : [])),
  );
}

t.test('configuration in the README loads', async (t) => {
  const [upstream, links] = [blocks('yaml')[0]!, blocks('yaml')[1]!];
  t.match(loadConfig(upstream, 'README.md'), { ok: true, warnings: [] });
  const job = `scrape_configs:\n- job_name: a\n${links.replace(/^/gm, '  ')}`;
  t.match(loadConfig(job, 'README.md'), { ok: true, warnings: [] });
});

t.test('the link to ClickHouse asks for the trace', skipWithoutChdb(), async (t) => {
  const [destination] = parse(provisioned(blocks('yaml')[2]!)) as Destination[];
  const panes = new URL(destination!.url!.replace(VALUE, 'abc'), 'http://grafana').searchParams.get('panes'); // biome-ignore format: one statement
  const { a } = JSON.parse(panes!) as {
    a: { datasource: string; queries: { rawSql: string; datasource: { uid: string; type: string } }[] };
  };
  const clickhouse = datasources.find(({ type }) => type === 'grafana-clickhouse-datasource')!;
  t.equal(a.datasource, clickhouse.uid);
  t.match(a.queries[0]!.datasource, { uid: clickhouse.uid, type: clickhouse.type });

  const database = openChdb(await temporaryDirectory(t));
  t.teardown(() => database.close());
  await database.command(OTEL_TRACES);
  await database.command(OTEL_TRACES.replace('otel_traces', 'otel_traces_kept'));
  const sampling = read('docs/sampling.md');
  const view = /```sql\n(CREATE VIEW otel_traces_all AS[\s\S]*?);/.exec(sampling)![1]!;
  await database.command(view);
  for (const table of ['otel_traces', 'otel_traces_kept'])
    await database.command(
      `INSERT INTO ${table} (Timestamp, TraceId, SpanId, ServiceName, SpanName, Duration, SpanAttributes) VALUES (now64(9), 'abc', '1', 'shop', 'GET /', 2500000, {'k': 'v'}), (now64(9), 'other', '2', 'shop', 'GET', 1, {})`,
    );
  const rows: unknown[] = [];
  for await (const page of database.query(a.queries[0]!.rawSql)) rows.push(...page);
  t.equal(clickhouse.jsonData.traces!.defaultTable, 'otel_traces_all');
  t.match(rows, [{ traceID: 'abc', spanID: '1', serviceName: 'shop', operationName: 'GET /', duration: 2.5, tags: [{ key: 'k', value: 'v' }] }]); // biome-ignore format: one statement
  t.equal(rows.length, 1);
});

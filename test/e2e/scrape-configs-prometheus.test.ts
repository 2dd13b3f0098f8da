/** One prometheus.yml, read by us and by a real Prometheus: the same targets, and the same series. */
import t from 'tap';
import { startApp } from '../support/app.js';
import { prometheusMissing, startPrometheus } from '../support/prometheus.js';
import { OPENMETRICS, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

/** What 2.42 does not have. */
const NEWER_LABELS = /^__(always_scrape_classic|scrape_native|convert_classic)_histograms/;

const at = (Date.now() / 1000 - 60).toFixed(3);
const exemplar = (id: string) => `# {trace_id="${id}"} 0.5 ${at}`;

const BODY = `# TYPE http_requests counter
http_requests_total{path="/a",pod="p-1",job="theirs"} 1 ${exemplar('1')}
http_requests_total{path="/b",pod="p-2",instance="their:1",exported_job="x",job="y"} 2 ${exemplar('2')}
# TYPE go_threads counter
go_threads_total 3 ${exemplar('3')}
# TYPE lat histogram
lat_bucket{le="0.5",code="200"} 1 ${exemplar('4')}
lat_bucket{le="+Inf",code="500"} 2 ${exemplar('5')}
lat_count 2
lat_sum 1
# EOF
`;

const configFor = (address: string) => `
global: {scrape_interval: 1s, scrape_timeout: 900ms, external_labels: {region: eu}}
scrape_configs:
  - job_name: plain
    static_configs: [{targets: ['${address}', '${address}'], labels: {env: prod, empty: ''}}]
  - job_name: honoured
    honor_labels: true
    static_configs: [{targets: ['${address}']}]
  - job_name: blackbox
    metrics_path: /probe
    params: {module: [http_2xx, other]}
    static_configs: [{targets: ['https://prometheus.io', 'http://example.org:8080/x?y=z#é']}]
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {source_labels: [__param_target], target_label: instance}
      - {target_label: __address__, replacement: '${address}'}
  - job_name: sharded
    static_configs: [{targets: [${Array.from({ length: 8 }, () => `'${address}'`).join(', ')}], labels: {__path: /metrics}}, {targets: ['a:1', 'b:2', 'c:3', 'd:4']}]
    relabel_configs:
      - {source_labels: [__address__], modulus: 3, target_label: __tmp_hash, action: hashmod}
      - {source_labels: [__address__], regex: '${address}', target_label: __tmp_hash, replacement: '1'}
      - {source_labels: [__tmp_hash], regex: '1', action: keep}
      - {source_labels: [__address__], regex: '(.*):(.*)', target_label: port, replacement: '\${2}'}
  - job_name: relabelled
    static_configs: [{targets: ['${address}'], labels: {__meta_kubernetes_pod_label_app: shop, __meta_kubernetes_pod_label_team: red}}]
    relabel_configs:
      - {action: labelmap, regex: __meta_kubernetes_pod_label_(.+)}
      - {target_label: __metrics_path__, replacement: other/path}
      - {target_label: __scrape_interval__, replacement: 2s}
      - {target_label: __scrape_timeout__, replacement: 1500ms}
      - {target_label: job, replacement: renamed}
    metric_relabel_configs:
      - {source_labels: [__name__], regex: 'go_.*', action: drop}
      - {source_labels: [__name__, code], regex: 'lat_bucket;500', action: drop}
      - {action: labeldrop, regex: 'pod|exported_.*'}
      - {source_labels: [__name__], regex: 'http_(.*)', target_label: __name__, replacement: 'web_$1'}
      - {source_labels: [path], target_label: where, action: uppercase}
  - job_name: refused
    static_configs: [{targets: ['a:1', 'b:2', 'c:3', 'd:4']}]
    relabel_configs:
      - {source_labels: [__address__], regex: 'a:1', target_label: __address__, replacement: ''}
      - {source_labels: [__address__], regex: 'b:2', target_label: __scrape_timeout__, replacement: 1h}
      - {source_labels: [__address__], regex: 'c:3', target_label: __scrape_interval__, replacement: often}
      - {source_labels: [__address__], regex: 'd:4', target_label: __address__, replacement: 'x/y'}
  - job_name: limited
    sample_limit: 4
    static_configs: [{targets: ['${address}']}]
  - job_name: limited-after-relabelling
    sample_limit: 4
    static_configs: [{targets: ['${address}']}]
    metric_relabel_configs: [{source_labels: [__name__], regex: 'lat.*', action: drop}]
  - job_name: long-values
    label_value_length_limit: 14
    static_configs: [{targets: ['${address}']}]
  - job_name: too-many
    target_limit: 1
    static_configs: [{targets: ['${address}', 'other:1']}]
`;

interface Target {
  readonly discoveredLabels: Record<string, string>;
  readonly labels?: Record<string, string>;
  readonly scrapePool?: string;
  readonly scrapeUrl?: string;
  readonly health?: string;
  readonly scrapeInterval?: string;
  readonly scrapeTimeout?: string;
}

async function targetsOf(url: string) {
  const { data } = (await (await fetch(`${url}/api/v1/targets`)).json()) as {
    data: { activeTargets: Target[]; droppedTargets: Target[] };
  };
  return data;
}

/** In one order, and without what differs between versions. */
function comparable(targets: readonly Target[]) {
  const shown = targets.map(({ discoveredLabels, labels, scrapePool, scrapeUrl, ...rest }) => ({
    discoveredLabels: Object.fromEntries(
      Object.entries(discoveredLabels)
        .filter(([name]) => !NEWER_LABELS.test(name))
        .sort(),
    ),
    labels: labels && Object.fromEntries(Object.entries(labels).sort()),
    scrapePool,
    scrapeUrl,
    health: rest.health,
    scrapeInterval: rest.scrapeInterval,
    scrapeTimeout: rest.scrapeTimeout,
  }));
  return shown.map((each) => JSON.stringify(each)).sort();
}

t.test('the same configuration', { skip: prometheusMissing(), timeout: 60_000 }, async (t) => {
  const target = await serveTarget((response) =>
    response.writeHead(200, { 'content-type': OPENMETRICS }).end(BODY),
  );
  t.teardown(() => target.close());
  const config = configFor(target.address);
  const [prometheus, app] = await Promise.all([startPrometheus({ config }), startApp(config)]);
  t.teardown(() => Promise.all([prometheus.stop(), app.stop()]));

  const isScraped = async (url: string) => {
    const { activeTargets } = await targetsOf(url);
    return activeTargets.length > 0 && activeTargets.every(({ health }) => health !== 'unknown');
  };
  await until(() => isScraped(prometheus.url), 'Prometheus to have scraped all');
  await until(() => isScraped(app.url), 'exemplard to have scraped all');

  const [theirs, ours] = await Promise.all([targetsOf(prometheus.url), targetsOf(app.url)]);
  t.strictSame(comparable(ours.activeTargets), comparable(theirs.activeTargets), 'targets');
  t.strictSame(
    comparable(ours.droppedTargets.map(({ discoveredLabels }) => ({ discoveredLabels }))),
    comparable(theirs.droppedTargets.map(({ discoveredLabels }) => ({ discoveredLabels }))),
    'dropped ones',
  );
  t.match(ours.droppedTargets[0], { scrapePool: 'sharded' });

  const series = async (peer: { queryExemplars: typeof app.queryExemplars }) =>
    (await peer.queryExemplars('{__name__=~".+"}'))
      .map(({ seriesLabels, exemplars }) =>
        JSON.stringify([Object.entries(seriesLabels).sort(), exemplars.map(({ labels }) => labels)]),
      )
      .sort();
  t.strictSame(await series(app), await series(prometheus), 'series');
  t.ok((await series(app)).length > 20, `${(await series(app)).length} series`);

  const metrics = await app.metrics();
  t.match(metrics, /exemplard_scrape_refused_targets_total\{job="refused"\} 4/);
  t.match(
    metrics,
    /exemplard_scrape_dropped_lines_total\{job="relabelled",by="metric_relabel_configs"\} [1-9]/,
  );
  t.match(metrics, /exemplard_scrape_exceeded_target_limit_total\{job="too-many"\} 1/);
  t.match(metrics, /exemplard_target_up\{job="plain",instance="[^"]+"\} 1/);
});

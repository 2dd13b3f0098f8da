/** A `prometheus.yml` as it is found in the wild starts exemplard unchanged, and each thing not applied is named once. */
import t from 'tap';
import { formatIssue } from '../../src/config/issue.js';
import { loadConfig } from '../../src/config/load.js';
import { staticTargets } from '../support/scrape-target.js';

const text = `# my global config
global:
  scrape_interval:     15s # By default, scrape targets every 15 seconds.
  evaluation_interval: 15s # By default, evaluate rules every 15 seconds.
  # scrape_timeout is set to the global default (10s).
  external_labels:
    monitor: 'codelab-monitor'
    replica: \${HOSTNAME}
    datacenter: 1

rule_files:
  - "first.rules.yml"

alerting:
  alertmanagers:
    - scheme: https
      static_configs:
        - targets: ["alertmanager:9093"]

storage:
  tsdb: {out_of_order_time_window: 30m}
  exemplars:
    max_exemplars: 100000

remote_write:
  - url: https://mimir.example.com/api/v1/push
    send_exemplars: true
    basic_auth:
      username: 12345
      password: hunter2
    queue_config: {max_samples_per_send: 500, capacity: 2500}
    write_relabel_configs:
      - {source_labels: [__name__], regex: go_.*, action: drop}

scrape_configs:
  - job_name: 'prometheus'
    # metrics_path defaults to '/metrics'
    # scheme defaults to 'http'.
    static_configs:
      - targets: ['localhost:9090']

  - job_name: node
    honor_labels: true
    static_configs:
      - targets:
          - 10.0.0.1:9100
          - 10.0.0.2:9100
        labels: {env: prod, version: 1.20}
    metric_relabel_configs:
      - {source_labels: [__name__], regex: 'node_(cpu|disk)_.*', action: keep}

  - job_name: blackbox
    metrics_path: /probe
    params:
      module: [http_2xx]
    static_configs:
      - targets: [https://prometheus.io]
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {target_label: __address__, replacement: 'blackbox:9115'}

  - job_name: kubernetes-pods
    tls_config: {ca_file: /var/run/secrets/ca.crt}
    bearer_token_file: /var/run/secrets/token
    kubernetes_sd_configs:
      - {role: pod, namespaces: {names: [shop]}}
`;

t.test('a prometheus.yml', async (t) => {
  const result = loadConfig(text, 'prometheus.yml', { HOSTNAME: 'p-0' });
  if (!result.ok) throw new Error(result.errors.map(formatIssue).join('\n'));
  t.strictSame(
    result.warnings.map(({ line, column, message }) => `${line}:${column} ${message.split(' is not')[0]}`),
    [
      '4:3 global.evaluation_interval',
      '11:1 rule_files',
      '14:1 alerting',
      '21:3 storage.tsdb',
      "63:27 scrape_configs[3].tls_config.ca_file: until it can be read, requests fail: ENOENT: no such file or directory, access '/var/run/secrets/ca.crt'",
      "64:24 scrape_configs[3].bearer_token_file: until it can be read, requests fail: ENOENT: no such file or directory, access '/var/run/secrets/token'",
    ],
  );
  const { config } = result;
  t.strictSame(config.externalLabels, ['datacenter', '1', 'monitor', 'codelab-monitor', 'replica', 'p-0']);
  t.strictSame(
    config.scrapeJobs.map((job) => [job.jobName, job.intervalMs, job.timeoutMs, staticTargets(job)]),
    [
      ['prometheus', 15_000, 10_000, [['localhost:9090']]],
      ['node', 15_000, 10_000, [['10.0.0.1:9100', '10.0.0.2:9100']]],
      ['blackbox', 15_000, 10_000, [['https://prometheus.io']]],
      ['kubernetes-pods', 15_000, 10_000, []],
    ],
  );
  t.match(config.remoteWrites[0], {
    httpClient: { auth: { type: 'basic', username: { text: '12345' }, password: { text: 'hunter2' } } },
  });
  t.equal(config.store.maxExemplars, 100_000);
  t.notMatch(config.text, /hunter2|#/);
});

/** The same file and server, discovered by a real Prometheus: the same targets with the same labels. Debian's knows no Kubernetes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createDiscovery } from '../../src/discovery/discovery.js';
import type { DiscoveryOptions } from '../../src/discovery/options.js';
import { DEFAULT_HTTP_CLIENT } from '../../src/http-client/options.js';
import type { TargetGroup } from '../../src/model/target-group.js';
import { systemClock } from '../../src/util/clock.js';
import { temporaryDirectory } from '../support/build.js';
import { Found } from '../support/discovery.js';
import { serve } from '../support/http-servers.js';
import { prometheusMissing, startPrometheus } from '../support/prometheus.js';
import { until } from '../support/until.js';

type Labels = Readonly<Record<string, string>>;

/** Labels of every target, all targets in an order. */
function sorted(targets: readonly Labels[]): string[][] {
  return targets
    .map((labels) =>
      Object.entries(labels)
        .filter((label) => label[1] !== '')
        .map(([name, value]) => `${name}=${value}`)
        .sort(),
    )
    .sort((a, b) => (a.join() < b.join() ? -1 : 1));
}

const flat = (groups: readonly TargetGroup[]) => groups.flatMap(({ targets, labels }) => targets.map((target) => ({ ...labels, ...target }))); // biome-ignore format: one line

const SET_BY_SCRAPING = /^(job|__scheme__|__metrics_path__|__scrape_interval__|__scrape_timeout__)$/;

t.test('as a real Prometheus does it', { skip: prometheusMissing() }, async (t) => {
  const directory = await temporaryDirectory(t);
  const list = '[{"targets":["a:1","b:2"],"labels":{"x":"y"}},{"Targets":["c:3"]}]';
  const server = await serve((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(list);
  });
  const url = `http://127.0.0.1:${server.port}/list`;
  const file = join(directory, 'list.yml');
  writeFileSync(file, '- targets: [d:4]\n  labels: {version: 1.10, on: yes}\n- targets:\n  - e:5\n');
  const jobs: Readonly<Record<string, DiscoveryOptions>> = {
    file: { type: 'file', files: [file], refreshIntervalMs: 300_000 },
    http: { type: 'http', url, shownUrl: url, refreshIntervalMs: 60_000, httpClient: DEFAULT_HTTP_CLIENT },
  };
  const job = (name: string, discovery: string) => `- job_name: ${name}
  relabel_configs: [{action: drop, regex: .*}]
  ${discovery}
`;
  const config = `scrape_configs:
${job('file', `file_sd_configs: [{files: ["${file}"]}]`)}${job('http', `http_sd_configs: [{url: "${url}"}]`)}`;
  const prometheus = await startPrometheus({ config });
  t.teardown(async () => {
    await prometheus.stop();
    await server.close();
  });
  const theirs = async (): Promise<readonly Labels[]> => {
    const answer = (await (await fetch(`${prometheus.url}/api/v1/targets`)).json()) as {
      data: { droppedTargets: { discoveredLabels: Labels }[] };
    };
    return answer.data.droppedTargets.map(({ discoveredLabels }) => discoveredLabels);
  };
  for (const [name, options] of Object.entries(jobs)) {
    const found = new Found(systemClock);
    const discovery = createDiscovery(options, found.parts);
    found.start(discovery);
    await until(() => found.addresses.length > 0, `${name}: ${found.warnings}`);
    const ofJob = async () =>
      (await theirs())
        .filter((labels) => labels.job === name)
        .map((labels) =>
          Object.fromEntries(Object.entries(labels).filter(([label]) => !SET_BY_SCRAPING.test(label))),
        );
    await until(async () => (await ofJob()).length > 0, `Prometheus to find targets of ${name}`);
    t.strictSame(sorted(flat(found.groups)), sorted(await ofJob()), name);
    await discovery.stop();
  }
});

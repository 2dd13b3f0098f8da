import t from 'tap';
import { DiscoveryMetrics } from '../../src/discovery/metrics.js';
import { createRegistry } from '../../src/telemetry/registry.js';

t.test('several mechanisms of one kind count together, and a job that is gone leaves nothing', async (t) => {
  const registry = createRegistry();
  const metrics = new DiscoveryMetrics(registry);
  const [first, second, other] = [
    metrics.meter('a', 'dns'),
    metrics.meter('a', 'dns'),
    metrics.meter('b', 'dns'),
  ];
  const group = (targets: number) => ({
    source: '',
    labels: {},
    targets: Array.from({ length: targets }, () => ({})),
  });
  first.found([group(2), group(1)]);
  second.found([group(4)]);
  other.found([]);
  for (const meter of [first, second, other]) {
    meter.failed();
    meter.refreshed(0.05);
    meter.objectChanged('add');
    meter.watchEnded('silent');
  }
  const lines = async (job: string) =>
    (await registry.metrics())
      .split('\n')
      .filter((line) => line.includes(`job="${job}"`) && !line.includes('_bucket'))
      .map((line) => line.slice('exemplard_discovery_'.length).replace(`job="${job}",`, ''))
      .sort();
  t.strictSame(await lines('a'), [
    'failures_total{mechanism="dns"} 2',
    'groups{mechanism="dns"} 3',
    'kubernetes_events_total{event="add"} 2',
    'kubernetes_watch_ends_total{reason="silent"} 2',
    'refresh_duration_seconds_count{mechanism="dns"} 2',
    'refresh_duration_seconds_sum{mechanism="dns"} 0.1',
    'targets{mechanism="dns"} 7',
  ]);
  second.close();
  t.ok((await lines('a')).includes('targets{mechanism="dns"} 3'));
  metrics.forgetJob('a');
  t.strictSame(await lines('a'), []);
  t.equal((await lines('b')).length, 7);
});

/** Listing and watching, against a server with faults. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ClusterEnvironment } from '../../src/discovery/kubernetes/access.js';
import { KubernetesDiscovery } from '../../src/discovery/kubernetes/discovery.js';
import type { KubernetesDiscoveryOptions } from '../../src/discovery/options.js';
import { DEFAULT_HTTP_CLIENT } from '../../src/http-client/options.js';
import { temporaryDirectory } from '../support/build.js';
import { Authority, HAS_OPENSSL } from '../support/certificates.js';
import { Found } from '../support/discovery.js';
import { FakeClock } from '../support/fake-clock.js';
import { KubernetesApi, refuse } from '../support/kubernetes-api.js';
import * as k8s from '../support/kubernetes-objects.js';
import { until } from '../support/until.js';

const OPTIONS: KubernetesDiscoveryOptions = {
  type: 'kubernetes',
  role: 'pod',
  apiServer: '',
  kubeconfigFile: undefined,
  namespaces: { ownNamespace: false, names: [] },
  selectors: [],
  attachMetadata: { node: false, namespace: false },
  httpClient: { ...DEFAULT_HTTP_CLIENT, enableHttp2: false },
};
const NOWHERE: ClusterEnvironment = { variables: {}, serviceAccount: '/nowhere' };

function discover(t: Test, options: Partial<KubernetesDiscoveryOptions>, environment = NOWHERE) {
  const clock = new FakeClock();
  const found = new Found(clock);
  const discovery = new KubernetesDiscovery({ ...OPTIONS, ...options }, found.parts, environment, () => 0.5);
  found.start(discovery);
  t.teardown(() => discovery.stop());
  /** Lets time go by until it is so. */
  const eventually = (isSo: () => boolean, what: string) =>
    until(async () => {
      if (isSo()) return true;
      await clock.advance(200);
      return isSo();
    }, what, 5_000); // biome-ignore format: one condition
  const shows = (...addresses: string[]) => {
    const isSo = () =>
      found.answers.length > 0 && found.addresses.toSorted().join() === addresses.toSorted().join();
    return eventually(isSo, `${addresses}`).catch(() => {
      throw new Error(`want ${addresses}, got ${found.addresses}; ${found.warnings}`);
    });
  };
  return { clock, found, discovery, eventually, shows };
}

async function listen(t: Test): Promise<KubernetesApi> {
  const api = await KubernetesApi.listen();
  t.teardown(() => api.close());
  return api;
}

const pods = (count: number) => Array.from({ length: count }, (_, i) => k8s.pod(`p${i}`, `10.0.${i >> 8}.${i & 255}`)); // biome-ignore format: one line

t.test('listed, then followed as they change', async (t) => {
  const api = await listen(t);
  api.set('pods', k8s.pod('a', '10.0.0.1'));
  const { found, shows } = discover(t, { apiServer: api.url });
  await shows('10.0.0.1:8080');
  t.match(found.groups, [{ source: 'pod/default/a', labels: { __meta_kubernetes_pod_name: 'a' } }]);
  await api.watched(1);
  t.strictSame(api.asked, ['list pods', 'watch pods@1001']);
  const { searchParams } = api.urls[1]!;
  t.strictSame(Object.fromEntries(searchParams), {
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: '1001',
    timeoutSeconds: '450',
  });
  api.set('pods', k8s.pod('b', '10.0.0.2'));
  await shows('10.0.0.1:8080', '10.0.0.2:8080');
  const [groupOfA] = found.groups;
  api.set('pods', k8s.pod('b', '10.0.0.3'));
  await shows('10.0.0.1:8080', '10.0.0.3:8080');
  t.equal(found.groups[0], groupOfA, 'a group that does not change stays the same object');
  api.set('pods', k8s.pod('a', ''));
  await shows('10.0.0.3:8080');
  api.remove('pods', k8s.pod('b', '10.0.0.3'));
  await shows();
  t.strictSame(found.warnings, []);
  t.equal(await found.metric('exemplard_discovery_kubernetes_events_total{job="j",event="add"}'), 2);
  t.equal(await found.metric('exemplard_discovery_kubernetes_events_total{job="j",event="update"}'), 2);
  t.equal(await found.metric('exemplard_discovery_kubernetes_events_total{job="j",event="delete"}'), 1);
});

t.test('no objects at all are known as such', async (t) => {
  const api = await listen(t);
  const { shows } = discover(t, { apiServer: `${api.url}/` });
  await shows();
});

t.test('a long list comes in pages; one whose pages expire comes whole', async (t) => {
  const api = await listen(t);
  for (const pod of pods(700)) api.set('pods', pod);
  const { found, eventually } = discover(t, { apiServer: api.url });
  await eventually(() => found.addresses.length === 700, 'all');
  t.strictSame(api.asked.slice(0, 3), ['list pods', 'list pods on', 'list pods on']);
  t.strictSame(api.urls.slice(0, 3).map(({ searchParams }) => searchParams.get('limit')), ['250', '250', '250']); // biome-ignore format: one line
  const second = await listen(t);
  for (const pod of pods(300)) second.set('pods', pod);
  second.intercept = (url, response) => {
    if (!url.searchParams.has('continue')) return false;
    refuse(response, 410, 'The provided continue parameter is too old');
    return true;
  };
  const other = discover(t, { apiServer: second.url });
  await other.eventually(() => other.found.addresses.length === 300, 'all');
  t.strictSame(second.asked.slice(0, 3), ['list pods', 'list pods on', 'list pods']);
  t.equal(second.urls[2]?.searchParams.has('limit'), false);
  t.strictSame(other.found.warnings, []);
});

t.test('a watch that ends, breaks off, or says nothing goes on from the last version', async (t) => {
  const api = await listen(t);
  api.set('pods', k8s.pod('a', '10.0.0.1'));
  const { found, shows, clock } = discover(t, { apiServer: api.url });
  await shows('10.0.0.1:8080');
  await api.watched(1);
  api.set('pods', k8s.pod('b', '10.0.0.2'));
  await shows('10.0.0.1:8080', '10.0.0.2:8080');
  api.end();
  // What happens in between is not lost.
  api.set('pods', k8s.pod('c', '10.0.0.3'));
  await shows('10.0.0.1:8080', '10.0.0.2:8080', '10.0.0.3:8080');
  await api.watched(1);
  // Half an event, and then nothing more.
  api.write('{"type":"ADDED","object":{"metadata":{"name":"half"');
  api.disconnect();
  api.set('pods', k8s.pod('d', '10.0.0.4'));
  await shows('10.0.0.1:8080', '10.0.0.2:8080', '10.0.0.3:8080', '10.0.0.4:8080');
  await api.watched(1);
  const before = [...api.watches][0];
  await clock.advance(180_000);
  await until(() => api.watches.size === 1 && ![...api.watches].includes(before!), 'another watch');
  t.strictSame(api.asked, [
    'list pods',
    'watch pods@1001',
    'watch pods@1002',
    'watch pods@1003',
    'watch pods@1004',
  ]);
  t.strictSame(found.warnings, [], 'all of that happens all the time');
  const ends = (reason: string) => found.metric(`exemplard_discovery_kubernetes_watch_ends_total{job="j",reason="${reason}"}`); // biome-ignore format: one line
  t.strictSame([await ends('ended'), await ends('disconnected'), await ends('silent')], [1, 1, 1]);
});

t.test('bookmarks: versions move on where no object changes', async (t) => {
  const api = await listen(t);
  api.set('pods', k8s.pod('a', '10.0.0.1'));
  const { shows, eventually } = discover(t, { apiServer: api.url });
  await shows('10.0.0.1:8080');
  await api.watched(1);
  api.pass(500);
  api.bookmark();
  api.compact();
  await new Promise((resolve) => setTimeout(resolve, 20));
  api.end();
  await eventually(() => api.watches.size === 1, 'the next watch');
  t.strictSame(api.asked, ['list pods', 'watch pods@1001', 'watch pods@1501']);
});

for (const saysExpiredInEvent of [false, true]) {
  t.test(
    `a version that is forgotten: 410 as ${saysExpiredInEvent ? 'an event' : 'an answer'}`,
    async (t) => {
      const api = await listen(t);
      api.saysExpiredInEvent = saysExpiredInEvent;
      for (const pod of [k8s.pod('a', '10.0.0.1'), k8s.pod('b', '10.0.0.2')]) api.set('pods', pod);
      const { found, shows } = discover(t, { apiServer: api.url });
      await shows('10.0.0.1:8080', '10.0.0.2:8080');
      await api.watched(1);
      api.disconnect();
      api.remove('pods', k8s.pod('a', '10.0.0.1'));
      api.set('pods', k8s.pod('c', '10.0.0.3'));
      api.compact();
      await shows('10.0.0.2:8080', '10.0.0.3:8080');
      await api.watched(1);
      t.strictSame(api.asked, [
        'list pods',
        'watch pods@1002',
        'watch pods@1002',
        'list pods',
        'watch pods@1004',
      ]);
      t.strictSame(found.warnings, []);
      t.equal(
        await found.metric('exemplard_discovery_kubernetes_watch_ends_total{job="j",reason="expired"}'),
        1,
      );
      t.equal(
        await found.metric('exemplard_discovery_kubernetes_events_total{job="j",event="update"}'),
        undefined,
      );
    },
  );
}

t.test('a server that is away: targets stay, waits grow, it is said once', async (t) => {
  const api = await listen(t);
  api.set('pods', k8s.pod('a', '10.0.0.1'));
  const { found, clock, shows, eventually } = discover(t, { apiServer: api.url });
  await shows('10.0.0.1:8080');
  await api.watched(1);
  api.intercept = (_, response) => {
    refuse(response, 503, 'etcdserver: leader changed');
    return true;
  };
  const askedBefore = api.asked.length;
  api.disconnect();
  await eventually(() => found.warnings.length === 1, 'a failure');
  const startMs = clock.monotonicMs();
  await eventually(() => api.asked.length >= askedBefore + 8, 'eight attempts');
  t.ok(clock.monotonicMs() - startMs > 20_000, `${clock.monotonicMs() - startMs} ms`);
  t.strictSame(found.warnings, ['the API server answered 503: etcdserver: leader changed']);
  t.match(found.log.lines[0]?.fields, { job: 'j', mechanism: 'kubernetes', resource: 'pods' });
  t.ok(api.asked.includes('list pods'), 'in the end they are listed again');
  t.strictSame(found.addresses, ['10.0.0.1:8080']);
  api.intercept = () => false;
  api.set('pods', k8s.pod('b', '10.0.0.2'));
  await shows('10.0.0.1:8080', '10.0.0.2:8080');
  await eventually(() => found.log.lines.at(-1)?.message === 'discovery recovered', 'the good news');
});

t.test('a server that asks for time gets it', async (t) => {
  const api = await listen(t);
  let refused = 0;
  api.intercept = (_, response) => {
    if (refused++ > 0) return false;
    response.setHeader('retry-after', '10');
    refuse(response, 429, 'Too many requests');
    return true;
  };
  const { clock, found, shows } = discover(t, { apiServer: api.url });
  await until(() => found.warnings.length === 1, 'the refusal');
  await until(() => clock.waitingMs.some((waitMs) => waitMs > 9_000), 'a long wait');
  t.equal(api.asked.length, 1);
  await shows();
});

t.test('events that cannot be read, or are too long: listed again', async (t) => {
  const f = async (bytes: string | Buffer, message: RegExp) => {
    const api = await listen(t);
    api.set('pods', k8s.pod('a', '10.0.0.1'));
    const { found, shows, eventually, discovery } = discover(t, { apiServer: api.url });
    await shows('10.0.0.1:8080');
    await api.watched(1);
    api.write(bytes);
    await until(() => found.warnings.length === 1, 'a warning');
    t.match(found.warnings[0], message);
    await eventually(() => api.asked.filter((each) => each === 'list pods').length === 2, 'another list');
    await eventually(() => api.watches.size === 1, 'another watch');
    t.strictSame(found.addresses, ['10.0.0.1:8080']);
    await discovery.stop();
  };
  await f('no JSON\n', /^an event cannot be read: .*JSON/);
  await f(
    Buffer.alloc(17 * 1024 * 1024, 0x20),
    /^an event cannot be read: a line is longer than 16777216 bytes/,
  );
});

t.test('events of any other kind', async (t) => {
  const api = await listen(t);
  api.set('pods', k8s.pod('a', '10.0.0.1'));
  const { found, shows, eventually } = discover(t, { apiServer: api.url });
  await shows('10.0.0.1:8080');
  await api.watched(1);
  api.write(
    '\n\n[]\n5\n{"type":"NEWS","object":{"metadata":{"name":"x","resourceVersion":"9999"}}}\n{"type":"ADDED"}\n',
  );
  api.write('{"type":"ERROR","object":{"code":500,"message":"internal"}}\n');
  await eventually(() => found.warnings.length === 1, 'a warning');
  t.strictSame(found.warnings, ['the API server ended a watch with 500: internal']);
  await eventually(() => api.watches.size === 1, 'another watch');
  t.equal(api.asked.at(-1), 'watch pods@1001');
  t.strictSame(found.addresses, ['10.0.0.1:8080']);
});

t.test('endpoints change with the pods, services and nodes that they are made of', async (t) => {
  const api = await listen(t);
  const subset = (...names: string[]) => ({
    addresses: names.map((name, i) => ({
      ip: `10.0.0.${i + 1}`,
      nodeName: 'node-1',
      targetRef: k8s.podReference(name),
    })),
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  });
  api.set('endpoints', k8s.endpoints('s', [subset('a')]));
  api.set('endpoints', k8s.endpoints('other', [subset()]));
  api.set('services', k8s.service('s'));
  api.set('nodes', k8s.node('node-1'));
  api.set('namespaces', k8s.namespace('default', { team: 'x' }));
  const { found, shows, eventually } = discover(t, {
    apiServer: api.url,
    role: 'endpoints',
    attachMetadata: { node: true, namespace: true },
  });
  await shows('10.0.0.1:8080');
  await api.watched(5);
  const group = () => found.groups.find(({ source }) => source === 'endpoints/default/s');
  const label = (name: string) => group()?.targets[0]?.[`__meta_kubernetes_${name}`] ?? group()?.labels[`__meta_kubernetes_${name}`]; // biome-ignore format: one line
  t.equal(label('pod_name'), undefined);
  t.strictSame(
    [label('service_name'), label('node_label_zone'), label('namespace_label_team')],
    ['s', 'a', 'x'],
  );
  const other = found.groups.find(({ source }) => source === 'endpoints/default/other');
  api.set('pods', k8s.pod('a', '10.0.0.1', [8080, 9090]));
  await shows('10.0.0.1:8080', '10.0.0.1:9090');
  t.equal(label('pod_name'), 'a');
  t.equal(label('pod_ready'), 'true');
  api.set('services', k8s.service('s', {}, { app: 'renamed' }));
  await eventually(() => label('service_label_app') === 'renamed', 'the label of the service');
  api.set('nodes', k8s.node('node-1', { zone: 'b' }));
  await eventually(() => label('node_label_zone') === 'b', 'the label of the node');
  t.equal(
    found.groups.find(({ source }) => source === 'endpoints/default/other'),
    other,
    'not built again',
  );
  api.set('namespaces', k8s.namespace('default', { team: 'y' }));
  await eventually(() => label('namespace_label_team') === 'y', 'the label of the namespace');
  api.remove('pods', k8s.pod('a', '10.0.0.1', [8080, 9090]));
  await shows('10.0.0.1:8080');
  api.remove('endpoints', k8s.endpoints('s', []));
  await shows();
});

t.test(
  'namespaces and selectors go to the server; one that may not be read keeps no others back',
  async (t) => {
    const api = await listen(t);
    const inNamespace = (namespace: string, name: string, ip: string) => {
      const pod = k8s.pod(name, ip);
      return { ...pod, metadata: { ...pod.metadata, namespace } };
    };
    api.set('pods', inNamespace('one', 'a', '10.0.0.1'));
    api.set('pods', inNamespace('two', 'b', '10.0.0.2'));
    api.set('pods', inNamespace('three', 'c', '10.0.0.3'));
    api.intercept = (url, response) => {
      if (!url.pathname.includes('/two/')) return false;
      refuse(response, 403, 'pods is forbidden: User "x" cannot list resource "pods" in the namespace "two"');
      return true;
    };
    const { found, shows } = discover(t, {
      apiServer: `${api.url}`,
      namespaces: { ownNamespace: false, names: ['one', 'two', 'one'] },
      selectors: [{ role: 'pod', label: 'app in (a,b)', field: 'status.phase=Running' }],
    });
    await shows('10.0.0.1:8080');
    t.match(found.warnings, [/^the API server answered 403: pods is forbidden/]);
    t.match(found.log.lines[0]?.fields, { namespace: 'two' });
    const [first] = api.urls;
    t.equal(first?.pathname, '/api/v1/namespaces/one/pods');
    t.match(Object.fromEntries(first!.searchParams), { labelSelector: 'app in (a,b)', fieldSelector: 'status.phase=Running' }); // biome-ignore format: one line
    await api.watched(1);
    const watch = api.urls.find(({ searchParams }) => searchParams.has('watch'));
    t.equal(watch?.searchParams.get('labelSelector'), 'app in (a,b)');
    api.intercept = () => false;
    await shows('10.0.0.1:8080', '10.0.0.2:8080');
  },
);

t.test('many namespaces', async (t) => {
  const warnings: string[] = [];
  const onWarning = ({ message }: Error) => warnings.push(message);
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));
  const api = await listen(t);
  api.intercept = (_, response) => {
    refuse(response, 503, 'not yet');
    return true;
  };
  const names = Array.from({ length: 30 }, (_, i) => `n${i}`);
  const { found, shows } = discover(t, { apiServer: api.url, namespaces: { ownNamespace: false, names } });
  await until(() => found.warnings.length === 30, 'all to wait');
  api.intercept = () => false;
  await shows();
  await api.watched(30);
  t.strictSame(warnings, []);
});

t.test('pods on nodes that are selected', async (t) => {
  const api = await listen(t);
  api.set('pods', k8s.pod('a', '10.0.0.1'));
  const { shows } = discover(t, {
    apiServer: api.url,
    selectors: [{ role: 'node', label: 'zone=a', field: '' }],
  });
  await shows();
  await api.watched(2);
  api.set('nodes', k8s.node('node-1'));
  await shows('10.0.0.1:8080');
  api.remove('nodes', k8s.node('node-1'));
  await shows();
});

t.test('each role asks for its own resource', async (t) => {
  const f = async (role: KubernetesDiscoveryOptions['role'], paths: string[]) => {
    const api = await listen(t);
    const { shows, discovery } = discover(t, {
      apiServer: api.url,
      role,
      namespaces: { ownNamespace: false, names: ['n'] },
    });
    await shows();
    t.strictSame([...new Set(api.urls.map(({ pathname }) => pathname))].sort(), paths, role);
    await discovery.stop();
  };
  await f('pod', ['/api/v1/namespaces/n/pods']);
  await f('service', ['/api/v1/namespaces/n/services']);
  await f('endpoints', [
    '/api/v1/namespaces/n/endpoints',
    '/api/v1/namespaces/n/pods',
    '/api/v1/namespaces/n/services',
  ]);
  await f('endpointslice', [
    '/api/v1/namespaces/n/pods',
    '/api/v1/namespaces/n/services',
    '/apis/discovery.k8s.io/v1/namespaces/n/endpointslices',
  ]);
  await f('node', ['/api/v1/nodes']);
  await f('ingress', ['/apis/networking.k8s.io/v1/namespaces/n/ingresses']);
});

t.test('within a cluster: TLS, own namespace, a token that is rotated', { skip: !HAS_OPENSSL }, async (t) => {
  const authority = new Authority(t.testdir(), 'cluster');
  const api = await KubernetesApi.listen(authority.sign('api', 'IP:127.0.0.1'));
  t.teardown(() => api.close());
  const serviceAccount = await temporaryDirectory(t);
  const write = (name: string, text: string) => writeFileSync(join(serviceAccount, name), text);
  write('token', 'first\n');
  write('ca.crt', authority.pair.cert);
  api.token = 'first';
  const pod = k8s.pod('a', '10.0.0.1');
  api.set('pods', { ...pod, metadata: { ...pod.metadata, namespace: 'mine' } });
  api.set('pods', k8s.pod('b', '10.0.0.2'));
  const variables = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(api.port) };
  const { found, shows, eventually, clock } = discover(
    t,
    { namespaces: { ownNamespace: true, names: [] } },
    { variables, serviceAccount },
  );
  await until(() => found.warnings.length === 1, 'a warning');
  t.match(found.warnings[0], /ENOENT.*namespace/);
  write('namespace', 'mine');
  await shows('10.0.0.1:8080');
  await api.watched(1);
  api.token = 'second';
  api.disconnect();
  await eventually(() => found.warnings.length === 2, 'a refusal');
  t.equal(found.warnings[1], 'the API server answered 401: Unauthorized');
  write('token', 'second\n');
  api.set('pods', { ...k8s.pod('c', '10.0.0.3'), metadata: { name: 'c', namespace: 'mine' } });
  await shows('10.0.0.1:8080', '10.0.0.3:8080');
  t.equal(api.authorizations.at(-1), 'Bearer second');
  rmSync(join(serviceAccount, 'token'));
  mkdirSync(join(serviceAccount, 'token'));
  // What was read counts for a second.
  await clock.advance(1_000);
  api.disconnect();
  await eventually(() => found.warnings.length === 3, 'a token that cannot be read');
  t.match(found.warnings[2], /token cannot be read: EISDIR/);
  t.strictSame(found.addresses.length, 2);
});

t.test('outside of one, with nothing said of where it is', async (t) => {
  const { found, discovery, clock } = discover(t, {});
  await until(() => found.warnings.length === 1, 'a warning');
  t.match(found.warnings[0], /KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set/);
  t.equal(found.answers.length, 0);
  await discovery.stop();
  t.strictSame(clock.waitingMs, []);
});

t.test('a stop in the middle of a list, of a watch, and of a wait', async (t) => {
  const api = await listen(t);
  api.set('pods', k8s.pod('a', '10.0.0.1'));
  api.intercept = () => true;
  const listing = discover(t, { apiServer: api.url });
  await until(() => api.asked.length === 1, 'a request');
  await listing.discovery.stop();
  t.strictSame([listing.found.answers, listing.found.warnings, listing.clock.waitingMs], [[], [], []]);
  api.intercept = () => false;
  const watching = discover(t, { apiServer: api.url });
  await watching.shows('10.0.0.1:8080');
  await api.watched(1);
  await watching.discovery.stop();
  await api.watched(0);
  t.strictSame(watching.clock.waitingMs, []);
  const waiting = discover(t, { apiServer: 'http://127.0.0.1:1' });
  await until(() => waiting.found.warnings.length === 1, 'a failure');
  await waiting.discovery.stop();
  t.strictSame(waiting.clock.waitingMs, []);
});

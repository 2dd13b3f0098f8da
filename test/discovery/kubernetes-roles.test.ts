/** Which targets and labels come of an object: those of Prometheus. */
import t from 'tap';
import { endpointsKind, endpointsRole } from '../../src/discovery/kubernetes/endpoints.js';
import { endpointSliceKind, endpointSliceRole } from '../../src/discovery/kubernetes/endpointslice.js';
import { ingressKind, ingressRole } from '../../src/discovery/kubernetes/ingress.js';
import { namespaceKind } from '../../src/discovery/kubernetes/namespace.js';
import { nodeKind, nodeRole } from '../../src/discovery/kubernetes/node.js';
import { type Kind, type KubernetesObject, keyOf, readMeta } from '../../src/discovery/kubernetes/object.js';
import { podKind } from '../../src/discovery/kubernetes/pod.js';
import { podRole } from '../../src/discovery/kubernetes/pod-role.js';
import type { Lookup, Role } from '../../src/discovery/kubernetes/role.js';
import { serviceKind } from '../../src/discovery/kubernetes/service.js';
import { serviceRole } from '../../src/discovery/kubernetes/service-role.js';
import * as k8s from '../support/kubernetes-objects.js';

function read<T extends KubernetesObject>(kind: Kind<T>, raw: object): T {
  return kind.read(raw as Record<string, unknown>, readMeta(raw as Record<string, unknown>));
}

function byKey<T extends KubernetesObject>(kind: Kind<T>, raws: readonly object[]): Map<string, T> {
  return new Map(raws.map((raw) => read(kind, raw)).map((object) => [keyOf(object.meta), object]));
}

interface Others {
  readonly pods?: readonly object[];
  readonly services?: readonly object[];
  readonly nodes?: readonly object[];
  readonly namespaces?: readonly object[];
}

/** Without the prefix of all labels. */
function build<T extends KubernetesObject>(kind: Kind<T>, role: Role<T>, raw: object, others: Others = {}) {
  const { pods = [], services = [], nodes, namespaces } = others;
  const lookup: Lookup = {
    pods: byKey(podKind, pods),
    services: byKey(serviceKind, services),
    nodes: nodes && byKey(nodeKind, nodes),
    namespaces: namespaces && byKey(namespaceKind, namespaces),
  };
  const group = role.build(read(kind, raw), lookup);
  if (group === undefined) return undefined;
  const short = (labels: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(labels).map(([name, value]) => [name.replace('__meta_kubernetes_', ''), value])); // biome-ignore format: one line
  return { source: group.source, targets: group.targets.map(short), labels: short(group.labels) };
}

const POD_LABELS = {
  pod_name: 'a',
  pod_ip: '10.0.0.1',
  pod_ready: 'true',
  pod_phase: 'Running',
  pod_node_name: 'node-1',
  pod_host_ip: '10.1.0.1',
  pod_uid: 'uid-a',
  pod_controller_kind: 'ReplicaSet',
  pod_controller_name: 'a-rs',
  pod_label_app_kubernetes_io_name: 'a',
  pod_labelpresent_app_kubernetes_io_name: 'true',
  pod_label_tier: '',
  pod_labelpresent_tier: 'true',
  pod_annotation_prometheus_io_scrape: 'true',
  pod_annotationpresent_prometheus_io_scrape: 'true',
};
const CONTAINER = { pod_container_name: 'main', pod_container_image: 'main:1', pod_container_init: 'false' };
const port = (number: number) => ({
  pod_container_port_name: `p${number}`,
  pod_container_port_number: String(number),
  pod_container_port_protocol: 'TCP',
});
const NODE_LABELS = {
  node_name: 'node-1',
  node_label_zone: 'a',
  node_labelpresent_zone: 'true',
  node_annotation_node_alpha_ttl: '0',
  node_annotationpresent_node_alpha_ttl: 'true',
};
const NAMESPACE_LABELS = {
  namespace_label_team: 'x',
  namespace_labelpresent_team: 'true',
  namespace_annotation_owner: 'team',
  namespace_annotationpresent_owner: 'true',
};
const SERVICE_LABELS = {
  namespace: 'default',
  service_name: 's',
  service_label_app: 's',
  service_labelpresent_app: 'true',
  service_annotation_note: 'x',
  service_annotationpresent_note: 'true',
};

t.test('pods: one target a port', async (t) => {
  const a = k8s.pod('a', '10.0.0.1', [8080, 9090]);
  const target = (number: number) => ({
    __address__: `10.0.0.1:${number}`,
    ...CONTAINER,
    pod_container_id: 'containerd://1',
    ...port(number),
  });
  t.strictSame(build(podKind, podRole(false), a), {
    source: 'pod/default/a',
    targets: [target(8080), target(9090)],
    labels: { ...POD_LABELS, namespace: 'default' },
  });
  const others = { nodes: [k8s.node('node-1')], namespaces: [k8s.namespace('default', { team: 'x' })] };
  t.strictSame(build(podKind, podRole(false), a, others)?.labels, {
    ...POD_LABELS,
    namespace: 'default',
    ...NODE_LABELS,
    ...NAMESPACE_LABELS,
  });
  t.strictSame(
    build(podKind, podRole(false), a, { nodes: [] })?.targets.length,
    2,
    'a node that is not known',
  );
  t.equal(build(podKind, podRole(true), a, { nodes: [] }), undefined, 'a node that is not selected');
});

t.test('pods: init containers, no ports, no address, IPv6, almost nothing at all', async (t) => {
  const role = podRole(false);
  const spec = {
    containers: [{ name: 'main', image: 'main:1' }],
    initContainers: [{ name: 'init', image: 'init:1', ports: [{ containerPort: 1 }] }],
  };
  const status = { podIP: 'fd00::5', initContainerStatuses: [{ name: 'init', containerID: 'c://2' }] };
  const group = build(podKind, role, { metadata: { name: 'b', namespace: 'n' }, spec, status });
  t.strictSame(group?.targets, [
    { __address__: '[fd00::5]', ...CONTAINER, pod_container_id: '' },
    {
      __address__: '[fd00::5]:1',
      pod_container_name: 'init',
      pod_container_image: 'init:1',
      pod_container_init: 'true',
      pod_container_id: 'c://2',
      pod_container_port_name: '',
      pod_container_port_number: '1',
      pod_container_port_protocol: '',
    },
  ]);
  t.match(group?.labels, { pod_ready: 'unknown', pod_phase: '', pod_controller_kind: undefined });
  t.equal(build(podKind, role, k8s.pod('c', '')), undefined, 'no address yet, or no more');
  t.equal(build(podKind, role, {}), undefined);
  const wrong = { metadata: { name: 5, labels: { a: 1, b: 'x' } }, spec: [], status: { podIP: '1.2.3.4', conditions: {} } }; // biome-ignore format: one line
  t.match(build(podKind, role, wrong), { targets: [], labels: { pod_name: '', pod_label_b: 'x', pod_label_a: undefined } }); // biome-ignore format: one line
});

t.test('services', async (t) => {
  const f = (spec: object, want: object) =>
    t.strictSame(build(serviceKind, serviceRole, k8s.service('s', spec)), {
      source: 'svc/default/s',
      targets: [
        {
          __address__: 's.default.svc:80',
          service_port_name: 'http',
          service_port_number: '80',
          service_port_protocol: 'TCP',
          ...want,
        },
      ],
      labels: SERVICE_LABELS,
    });
  f({}, { service_type: 'ClusterIP', service_cluster_ip: '10.2.0.1' });
  f(
    { type: 'LoadBalancer', loadBalancerIP: '1.2.3.4' },
    { service_type: 'LoadBalancer', service_cluster_ip: '10.2.0.1', service_loadbalancer_ip: '1.2.3.4' },
  );
  f(
    { type: 'ExternalName', externalName: 'x.test' },
    { service_type: 'ExternalName', service_external_name: 'x.test' },
  );
  const namespaces = [k8s.namespace('default', { team: 'x' })];
  t.match(build(serviceKind, serviceRole, k8s.service('s'), { namespaces })?.labels, NAMESPACE_LABELS);
});

t.test('nodes', async (t) => {
  const labels = {
    ...NODE_LABELS,
    node_provider_id: 'cloud://node-1',
    node_condition_memorypressure: 'false',
  };
  t.strictSame(build(nodeKind, nodeRole, k8s.node('node-1')), {
    source: 'node/node-1',
    targets: [
      {
        __address__: '10.1.0.1:10250',
        instance: 'node-1',
        node_address_Hostname: 'node-1',
        node_address_InternalIP: '10.1.0.1',
      },
    ],
    labels,
  });
  const at = (types: string[]) => {
    const addresses = types.map((type) => ({ type, address: type.toLowerCase() }));
    return build(nodeKind, nodeRole, { metadata: { name: 'n' }, status: { addresses } })?.targets[0]
      ?.__address__;
  };
  t.equal(at(['Hostname', 'ExternalDNS', 'ExternalIP']), 'externalip:0');
  t.equal(at(['Hostname', 'ExternalDNS']), 'externaldns:0');
  t.equal(at(['Hostname', 'LegacyHostIP']), 'legacyhostip:0');
  t.equal(at(['Other']), undefined, 'none that it could be scraped at');
});

t.test('endpoints, with their service, pods, and ports of pods that the service has not', async (t) => {
  const subsets = [
    {
      addresses: [
        { ip: '10.0.0.1', nodeName: 'node-1', targetRef: k8s.podReference('a') },
        { ip: '10.9.9.9', hostname: 'outside' },
      ],
      notReadyAddresses: [{ ip: '10.0.0.7', targetRef: { kind: 'Node', name: 'node-1' } }],
      ports: [{ name: 'http', port: 8080, protocol: 'UDP' }],
    },
  ];
  const e = k8s.endpoints('s', subsets);
  const pods = [k8s.pod('a', '10.0.0.1', [8080, 9090])];
  const services = [k8s.service('s')];
  const ofPort = { endpoint_port_name: 'http', endpoint_port_protocol: 'UDP' };
  const ofPod = { endpoint_address_target_kind: 'Pod', endpoint_address_target_name: 'a', endpoint_node_name: 'node-1' }; // biome-ignore format: one line
  const ofNode = { endpoint_address_target_kind: 'Node', endpoint_address_target_name: 'node-1' };
  const want = {
    source: 'endpoints/default/s',
    targets: [
      {
        __address__: '10.0.0.1:8080',
        ...ofPort,
        ...ofPod,
        endpoint_ready: 'true',
        ...POD_LABELS,
        ...CONTAINER,
        ...port(8080),
        pod_container_port_protocol: 'UDP',
      },
      { __address__: '10.9.9.9:8080', ...ofPort, endpoint_ready: 'true', endpoint_hostname: 'outside' },
      { __address__: '10.0.0.7:8080', ...ofPort, ...ofNode, endpoint_ready: 'false' },
      { __address__: '10.0.0.1:9090', ...POD_LABELS, ...CONTAINER, ...port(9090) },
    ],
    labels: {
      ...SERVICE_LABELS,
      endpoints_name: 's',
      endpoints_label_kind: 'e',
      endpoints_labelpresent_kind: 'true',
    },
  };
  t.strictSame(build(endpointsKind, endpointsRole, e, { pods, services }), want);
  const alone = build(endpointsKind, endpointsRole, e);
  t.strictSame(alone?.targets[0], {
    __address__: '10.0.0.1:8080',
    ...ofPort,
    ...ofPod,
    endpoint_ready: 'true',
  });
  t.notOk('service_name' in alone!.labels);
  const withNodes = build(endpointsKind, endpointsRole, e, {
    nodes: [k8s.node('node-1')],
    namespaces: [k8s.namespace('default', { team: 'x' })],
  });
  t.match(withNodes, { targets: [NODE_LABELS, {}, NODE_LABELS], labels: NAMESPACE_LABELS });
  const noIp = build(endpointsKind, endpointsRole, e, { pods: [k8s.pod('a', '', [8080, 9090])] });
  t.equal(noIp?.targets.length, 3, 'what a pod without an address has more is left out');
});

t.test('endpoint slices', async (t) => {
  const slice = k8s.endpointSlice('s-1', 's', {
    endpoints: [
      {
        addresses: ['10.0.0.1'],
        conditions: { ready: true, serving: true, terminating: false },
        hostname: 'h',
        nodeName: 'node-1',
        zone: 'z',
        deprecatedTopology: { 'a/b': 'c' },
        targetRef: k8s.podReference('a'),
      },
      { addresses: ['10.0.0.8'], conditions: {}, targetRef: { kind: 'Node', name: 'node-1' } },
    ],
    ports: [{ name: 'http', port: 8080, protocol: 'TCP', appProtocol: 'h2c' }],
  });
  const ofPort = { endpointslice_port_name: 'http', endpointslice_port: '8080', endpointslice_port_protocol: 'TCP', endpointslice_port_app_protocol: 'h2c' }; // biome-ignore format: one line
  const pods = [k8s.pod('a', '10.0.0.1', [8080, 9090])];
  const ofName = {
    endpointslice_name: 's-1',
    endpointslice_label_kubernetes_io_service_name: 's',
    endpointslice_labelpresent_kubernetes_io_service_name: 'true',
    endpointslice_address_type: 'IPv4',
  };
  t.strictSame(build(endpointSliceKind, endpointSliceRole, slice, { pods, services: [k8s.service('s')] }), {
    source: 'endpointslice/default/s-1',
    targets: [
      {
        __address__: '10.0.0.1:8080',
        ...ofPort,
        endpointslice_endpoint_conditions_ready: 'true',
        endpointslice_endpoint_conditions_serving: 'true',
        endpointslice_endpoint_conditions_terminating: 'false',
        endpointslice_endpoint_hostname: 'h',
        endpointslice_address_target_kind: 'Pod',
        endpointslice_address_target_name: 'a',
        endpointslice_endpoint_node_name: 'node-1',
        endpointslice_endpoint_zone: 'z',
        endpointslice_endpoint_topology_a_b: 'c',
        endpointslice_endpoint_topology_present_a_b: 'true',
        ...POD_LABELS,
        ...CONTAINER,
        ...port(8080),
      },
      {
        __address__: '10.0.0.8:8080',
        ...ofPort,
        endpointslice_address_target_kind: 'Node',
        endpointslice_address_target_name: 'node-1',
      },
      { __address__: '10.0.0.1:9090', ...POD_LABELS, ...CONTAINER, ...port(9090) },
    ],
    labels: { ...ofName, ...SERVICE_LABELS },
  });
  const others = { pods, nodes: [k8s.node('node-1')], namespaces: [k8s.namespace('default', { team: 'x' })] };
  t.match(build(endpointSliceKind, endpointSliceRole, slice, others), {
    targets: [NODE_LABELS, NODE_LABELS, {}],
    labels: { ...ofName, namespace: 'default', ...NAMESPACE_LABELS },
  });
  const bare = {
    addressType: 'IPv6',
    endpoints: [{ addresses: ['fd00::1', 'fd00::2'] }],
    ports: [{}, { port: 1 }],
  };
  const addresses = build(endpointSliceKind, endpointSliceRole, k8s.endpointSlice('b', 's', bare))?.targets;
  t.strictSame(addresses?.map(({ __address__ }) => __address__), ['fd00::1', 'fd00::2', '[fd00::1]:1', '[fd00::2]:1']); // biome-ignore format: one line
});

t.test('of a dual-stack service only the slices of its first family', async (t) => {
  const f = (addressType: string, spec: object, isTaken: boolean) => {
    const slice = k8s.endpointSlice('x', 's', { addressType });
    const group = build(endpointSliceKind, endpointSliceRole, slice, { services: [k8s.service('s', spec)] });
    t.equal(group !== undefined, isTaken, `${addressType} ${JSON.stringify(spec)}`);
  };
  const both = { ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv4', 'IPv6'] };
  f('IPv4', both, true);
  f('IPv6', both, false);
  f('FQDN', both, true);
  f('IPv6', { ...both, ipFamilies: [] }, true);
  f('IPv4', { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6', 'IPv4'] }, false);
  f('IPv6', { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] }, true);
});

t.test('ingresses', async (t) => {
  const spec = {
    ingressClassName: 'nginx',
    tls: [{ hosts: ['*.example.com', 'b.test'] }],
    rules: [
      { host: 'a.example.com', http: { paths: [{ path: '/x' }, {}] } },
      { host: 'a.b.example.com' },
      { host: 'b.test' },
    ],
  };
  const metadata = { name: 'i', namespace: 'default', labels: { a: 'b' } };
  const target = (scheme: string, host: string, path: string) => ({
    __address__: host,
    ingress_scheme: scheme,
    ingress_host: host,
    ingress_path: path,
  });
  t.strictSame(build(ingressKind, ingressRole, { metadata, spec }), {
    source: 'ingress/default/i',
    targets: [
      target('https', 'a.example.com', '/x'),
      target('https', 'a.example.com', '/'),
      target('http', 'a.b.example.com', '/'),
      target('https', 'b.test', '/'),
    ],
    labels: {
      namespace: 'default',
      ingress_name: 'i',
      ingress_class_name: 'nginx',
      ingress_label_a: 'b',
      ingress_labelpresent_a: 'true',
    },
  });
});

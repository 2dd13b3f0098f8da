import type { TargetGroup } from '../../model/target-group.js';
import { CoveredPods } from './covered-pods.js';
import { fields, list, optionalNumber, optionalText, text, texts } from './fields.js';
import { hostPort, type Labels, objectLabels, PREFIX, sanitize } from './meta-labels.js';
import {
  type Kind,
  type KubernetesObject,
  keyOf,
  type ObjectReference,
  readReference,
  reference,
} from './object.js';
import {
  type Lookup,
  namespaceLabels,
  namespaceReference,
  nodeLabels,
  nodeReference,
  type Role,
} from './role.js';
import { type Service, serviceLabels } from './service.js';

interface Endpoint {
  readonly addresses: readonly string[];
  /** `ready`, `serving`, `terminating`, as far as they are said. */
  readonly conditions: readonly (readonly [name: string, isSo: boolean])[];
  readonly hostname: string | undefined;
  readonly nodeName: string | undefined;
  readonly zone: string | undefined;
  readonly topology: Readonly<Record<string, string>>;
  readonly target: ObjectReference | undefined;
}

/** What is not said is undefined, and gives no label. */
interface EndpointPort {
  readonly name: string | undefined;
  readonly port: string | undefined;
  readonly protocol: string | undefined;
  readonly appProtocol: string | undefined;
}

export interface EndpointSlice extends KubernetesObject {
  readonly addressType: string;
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly EndpointPort[];
}

const SERVICE_NAME = 'kubernetes.io/service-name';
const CONDITIONS = ['ready', 'serving', 'terminating'] as const;

export const endpointSliceKind: Kind<EndpointSlice> = {
  name: 'endpointslice',
  group: '/apis/discovery.k8s.io/v1',
  resource: 'endpointslices',
  read: (raw, meta) => ({
    meta,
    addressType: text(raw.addressType),
    endpoints: list(raw.endpoints).map(readEndpoint),
    ports: list(raw.ports).map(readPort),
  }),
};

function readEndpoint(raw: unknown): Endpoint {
  const endpoint = fields(raw);
  const conditions = fields(endpoint.conditions);
  return {
    addresses: list(endpoint.addresses).map(text),
    conditions: CONDITIONS.filter((name) => typeof conditions[name] === 'boolean').map((name) => [
      name,
      conditions[name] === true,
    ]),
    hostname: optionalText(endpoint.hostname),
    nodeName: optionalText(endpoint.nodeName),
    zone: optionalText(endpoint.zone),
    topology: texts(endpoint.deprecatedTopology),
    target: readReference(endpoint.targetRef),
  };
}

function readPort(raw: unknown): EndpointPort {
  const { name, port, protocol, appProtocol } = fields(raw);
  const number = optionalNumber(port);
  return {
    name: optionalText(name),
    port: number === undefined ? undefined : String(number),
    protocol: optionalText(protocol),
    appProtocol: optionalText(appProtocol),
  };
}

/** The node an endpoint is, or lies on. */
function nodeOf({ nodeName, target }: Endpoint): string | undefined {
  return target?.kind === 'Node' ? target.name : nodeName;
}

function serviceKeyOf({ namespace, labels }: EndpointSlice['meta']): string | undefined {
  const name = labels[SERVICE_NAME];
  return name === undefined ? undefined : keyOf({ namespace, name });
}

export const endpointSliceRole: Role<EndpointSlice> = {
  needs: ['pod', 'service'],
  references({ meta, endpoints }, lookup) {
    const service = serviceKeyOf(meta);
    return [
      ...(service === undefined ? [] : [reference('service', service)]),
      ...namespaceReference(meta.namespace, lookup),
      ...endpoints.flatMap((endpoint) => [
        ...(endpoint.target?.kind === 'Pod' ? [reference('pod', keyOf(endpoint.target))] : []),
        ...nodeReference(nodeOf(endpoint), lookup),
      ]),
    ];
  },
  build(slice, lookup): TargetGroup | undefined {
    const { meta, addressType, endpoints, ports } = slice;
    const serviceKey = serviceKeyOf(meta);
    const service = serviceKey === undefined ? undefined : lookup.services.get(serviceKey);
    if (isOfSecondFamily(slice, service)) return undefined;
    const covered = new CoveredPods();
    const targets: Labels[] = [];
    for (const endpoint of endpoints) {
      const { target: ref } = endpoint;
      const pod = ref?.kind === 'Pod' ? lookup.pods.get(keyOf(ref)) : undefined;
      const ofEndpoint = endpointLabels(endpoint, lookup);
      for (const port of ports) {
        for (const address of endpoint.addresses) {
          const target = {
            __address__: port.port === undefined ? address : hostPort(address, port.port),
            ...portLabels(port),
            ...ofEndpoint,
          };
          targets.push(pod === undefined ? target : { ...target, ...covered.cover(pod, port.port) });
        }
      }
    }
    return {
      source: `endpointslice/${keyOf(meta)}`,
      targets: [...targets, ...covered.uncovered()],
      labels: {
        [`${PREFIX}namespace`]: meta.namespace,
        [`${PREFIX}endpointslice_address_type`]: addressType,
        ...objectLabels('endpointslice', meta),
        ...(service === undefined ? {} : serviceLabels(service)),
        ...namespaceLabels(meta.namespace, lookup),
      },
    };
  },
};

/** A dual-stack service has a slice for each family of addresses, with the same endpoints in both. */
function isOfSecondFamily({ addressType }: EndpointSlice, service: Service | undefined): boolean {
  if (service === undefined || !service.ipFamilyPolicy.endsWith('DualStack')) return false;
  const [primary] = service.ipFamilies;
  return primary !== undefined && addressType !== 'FQDN' && addressType !== primary;
}

function portLabels({ name, port, protocol, appProtocol }: EndpointPort): Labels {
  return given([
    ['endpointslice_port_name', name],
    ['endpointslice_port_protocol', protocol],
    ['endpointslice_port', port],
    ['endpointslice_port_app_protocol', appProtocol],
  ]);
}

function endpointLabels(endpoint: Endpoint, lookup: Lookup): Labels {
  const { conditions, hostname, nodeName, zone, topology, target } = endpoint;
  return {
    ...given([
      ...conditions.map(
        ([name, isSo]) => [`endpointslice_endpoint_conditions_${name}`, String(isSo)] as const,
      ),
      ['endpointslice_endpoint_hostname', hostname],
      ['endpointslice_address_target_kind', target?.kind],
      ['endpointslice_address_target_name', target?.name],
      ['endpointslice_endpoint_node_name', nodeName],
      ['endpointslice_endpoint_zone', zone],
      ...Object.entries(topology).flatMap(([key, value]) => [
        [`endpointslice_endpoint_topology_${sanitize(key)}`, value] as const,
        [`endpointslice_endpoint_topology_present_${sanitize(key)}`, 'true'] as const,
      ]),
    ]),
    ...nodeLabels(nodeOf(endpoint), lookup),
  };
}

function given(labels: readonly (readonly [name: string, value: string | undefined])[]): Labels {
  return Object.fromEntries(
    labels.flatMap(([name, value]) => (value === undefined ? [] : [[PREFIX + name, value]])),
  );
}

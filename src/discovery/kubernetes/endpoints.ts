import { CoveredPods } from './covered-pods.js';
import { fields, list, optionalText, portText, text } from './fields.js';
import { hostPort, type Labels, objectLabels, PREFIX } from './meta-labels.js';
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
import { serviceLabels } from './service.js';

interface Address {
  readonly ip: string;
  readonly isReady: boolean;
  readonly nodeName: string | undefined;
  readonly hostname: string;
  readonly target: ObjectReference | undefined;
}

interface Subset {
  readonly addresses: readonly Address[];
  readonly ports: readonly { readonly name: string; readonly port: string; readonly protocol: string }[];
}

export interface Endpoints extends KubernetesObject {
  readonly subsets: readonly Subset[];
}

export const endpointsKind: Kind<Endpoints> = {
  name: 'endpoints',
  group: '/api/v1',
  resource: 'endpoints',
  read(raw, meta) {
    const subsets = list(raw.subsets).map(fields).map((subset) => ({
      addresses: [
        ...list(subset.addresses).map((address) => readAddress(address, true)),
        ...list(subset.notReadyAddresses).map((address) => readAddress(address, false)),
      ],
      ports: list(subset.ports).map(fields).map(({ name, port, protocol }) => ({
        name: text(name),
        port: portText(port),
        protocol: text(protocol),
      })),
    })); // biome-ignore format: one subset
    return { meta, subsets };
  },
};

function readAddress(raw: unknown, isReady: boolean): Address {
  const { ip, nodeName, hostname, targetRef } = fields(raw);
  return {
    ip: text(ip),
    isReady,
    nodeName: optionalText(nodeName),
    hostname: text(hostname),
    target: readReference(targetRef),
  };
}

/** The node an address lies on, or is. */
function nodeOf({ nodeName, target }: Address): string | undefined {
  return nodeName ?? (target?.kind === 'Node' ? target.name : undefined);
}

export const endpointsRole: Role<Endpoints> = {
  needs: ['pod', 'service'],
  references: ({ meta, subsets }, lookup) => [
    reference('service', keyOf(meta)),
    ...namespaceReference(meta.namespace, lookup),
    ...subsets
      .flatMap(({ addresses }) => addresses)
      .flatMap((address) => [
        ...(address.target?.kind === 'Pod' ? [reference('pod', keyOf(address.target))] : []),
        ...nodeReference(nodeOf(address), lookup),
      ]),
  ],
  build({ meta, subsets }, lookup) {
    const service = lookup.services.get(keyOf(meta));
    const covered = new CoveredPods();
    const targets: Labels[] = [];
    for (const { ports, addresses } of subsets) {
      for (const { name, port, protocol } of ports) {
        for (const address of addresses) {
          const target = {
            __address__: hostPort(address.ip, port),
            [`${PREFIX}endpoint_port_name`]: name,
            [`${PREFIX}endpoint_port_protocol`]: protocol,
            ...addressLabels(address, lookup),
          };
          const pod = address.target?.kind === 'Pod' ? lookup.pods.get(keyOf(address.target)) : undefined;
          targets.push(pod === undefined ? target : { ...target, ...covered.cover(pod, port, protocol) });
        }
      }
    }
    return {
      source: `endpoints/${keyOf(meta)}`,
      targets: [...targets, ...covered.uncovered()],
      labels: {
        [`${PREFIX}namespace`]: meta.namespace,
        ...(service === undefined ? {} : serviceLabels(service)),
        ...objectLabels('endpoints', meta),
        ...namespaceLabels(meta.namespace, lookup),
      },
    };
  },
};

function addressLabels(address: Address, lookup: Lookup): Labels {
  const { target, nodeName, hostname, isReady } = address;
  return {
    [`${PREFIX}endpoint_ready`]: String(isReady),
    ...(target === undefined
      ? {}
      : {
          [`${PREFIX}endpoint_address_target_kind`]: target.kind,
          [`${PREFIX}endpoint_address_target_name`]: target.name,
        }),
    ...(nodeName === undefined ? {} : { [`${PREFIX}endpoint_node_name`]: nodeName }),
    ...(hostname === '' ? {} : { [`${PREFIX}endpoint_hostname`]: hostname }),
    ...nodeLabels(nodeOf(address), lookup),
  };
}

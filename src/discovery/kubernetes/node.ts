import { fields, list, portText, text } from './fields.js';
import { hostPort, objectLabels, PREFIX, sanitize } from './meta-labels.js';
import type { Kind, KubernetesObject } from './object.js';
import type { Role } from './role.js';

export interface Node extends KubernetesObject {
  readonly providerId: string;
  /** Type → first address of that type. */
  readonly addresses: ReadonlyMap<string, string>;
  readonly kubeletPort: string;
  /** Type → status. */
  readonly conditions: readonly (readonly [type: string, status: string])[];
}

/** Which of its addresses a node is scraped at. */
const ADDRESS_TYPES = ['InternalIP', 'InternalDNS', 'ExternalIP', 'ExternalDNS', 'LegacyHostIP', 'Hostname'];

export const nodeKind: Kind<Node> = {
  name: 'node',
  group: '/api/v1',
  resource: 'nodes',
  read(raw, meta) {
    const status = fields(raw.status);
    const addresses = list(status.addresses).map(fields);
    const kubelet = fields(fields(status.daemonEndpoints).kubeletEndpoint);
    return {
      meta,
      providerId: text(fields(raw.spec).providerID),
      // In reverse, so that the first of a type counts.
      addresses: new Map(addresses.reverse().map(({ type, address }) => [text(type), text(address)])),
      // The API's own name of the field is in upper case.
      kubeletPort: portText(kubelet.Port ?? kubelet.port),
      conditions: list(status.conditions).map(fields).map(({ type, status }) => [text(type), text(status)]), // biome-ignore format: one line
    };
  },
};

export const nodeRole: Role<Node> = {
  needs: [],
  references: () => [],
  build({ meta, providerId, addresses, kubeletPort, conditions }) {
    const type = ADDRESS_TYPES.find((each) => addresses.has(each));
    if (type === undefined) return undefined;
    const byType = [...addresses].map(([each, address]) => [
      `${PREFIX}node_address_${sanitize(each)}`,
      address,
    ]);
    const states = conditions.map(([each, status]) => [
      `${PREFIX}node_condition_${sanitize(each.toLowerCase())}`,
      status.toLowerCase(),
    ]);
    return {
      source: `node/${meta.name}`,
      targets: [
        {
          __address__: hostPort(addresses.get(type)!, kubeletPort),
          instance: meta.name,
          ...Object.fromEntries(byType),
        },
      ],
      labels: {
        [`${PREFIX}node_provider_id`]: providerId,
        ...Object.fromEntries(states),
        ...objectLabels('node', meta),
      },
    };
  },
};

import { fields, list, portText, text } from './fields.js';
import { type Labels, objectLabels, PREFIX } from './meta-labels.js';
import type { Kind, KubernetesObject } from './object.js';

export interface Service extends KubernetesObject {
  readonly type: string;
  readonly clusterIp: string;
  readonly externalName: string;
  readonly loadBalancerIp: string;
  readonly ports: readonly { readonly name: string; readonly port: string; readonly protocol: string }[];
  /** `IPv4`, `IPv6`; the first is the primary one. */
  readonly ipFamilies: readonly string[];
  readonly ipFamilyPolicy: string;
}

export const serviceKind: Kind<Service> = {
  name: 'service',
  group: '/api/v1',
  resource: 'services',
  read(raw, meta) {
    const spec = fields(raw.spec);
    return {
      meta,
      type: text(spec.type),
      clusterIp: text(spec.clusterIP),
      externalName: text(spec.externalName),
      loadBalancerIp: text(spec.loadBalancerIP),
      ports: list(spec.ports).map(fields).map(({ name, port, protocol }) => ({
        name: text(name),
        port: portText(port),
        protocol: text(protocol),
      })), // biome-ignore format: one port
      ipFamilies: list(spec.ipFamilies).map(text),
      ipFamilyPolicy: text(spec.ipFamilyPolicy),
    };
  },
};

export function serviceLabels({ meta }: Service): Labels {
  return { [`${PREFIX}namespace`]: meta.namespace, ...objectLabels('service', meta) };
}

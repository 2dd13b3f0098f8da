import { fields, list, optionalText, text } from './fields.js';
import { objectLabels, PREFIX } from './meta-labels.js';
import { type Kind, type KubernetesObject, keyOf } from './object.js';
import { namespaceLabels, namespaceReference, type Role } from './role.js';

export interface Ingress extends KubernetesObject {
  readonly className: string | undefined;
  readonly rules: readonly { readonly host: string; readonly paths: readonly string[] }[];
  readonly tlsHosts: readonly string[];
}

export const ingressKind: Kind<Ingress> = {
  name: 'ingress',
  group: '/apis/networking.k8s.io/v1',
  resource: 'ingresses',
  read(raw, meta) {
    const spec = fields(raw.spec);
    return {
      meta,
      className: optionalText(spec.ingressClassName),
      rules: list(spec.rules).map(fields).map(({ host, http }) => ({
        host: text(host),
        paths: http === undefined ? ['/'] : list(fields(http).paths).map((path) => text(fields(path).path) || '/'),
      })), // biome-ignore format: one rule
      tlsHosts: list(spec.tls).flatMap((tls) => list(fields(tls).hosts).map(text)),
    };
  },
};

export const ingressRole: Role<Ingress> = {
  needs: [],
  references: ({ meta }, lookup) => namespaceReference(meta.namespace, lookup),
  build({ meta, className, rules, tlsHosts }, lookup) {
    return {
      source: `ingress/${keyOf(meta)}`,
      targets: rules.flatMap(({ host, paths }) => {
        const scheme = tlsHosts.some((pattern) => covers(pattern, host)) ? 'https' : 'http';
        return paths.map((path) => ({
          __address__: host,
          [`${PREFIX}ingress_scheme`]: scheme,
          [`${PREFIX}ingress_host`]: host,
          [`${PREFIX}ingress_path`]: path,
        }));
      }),
      labels: {
        [`${PREFIX}namespace`]: meta.namespace,
        ...(className === undefined ? {} : { [`${PREFIX}ingress_class_name`]: className }),
        ...objectLabels('ingress', meta),
        ...namespaceLabels(meta.namespace, lookup),
      },
    };
  },
};

/** A leading `*` stands for one part of a name. */
function covers(pattern: string, host: string): boolean {
  if (pattern === host) return true;
  if (!pattern.startsWith('*.')) return false;
  const dot = host.indexOf('.');
  return dot >= 0 && host.slice(dot) === pattern.slice(1);
}

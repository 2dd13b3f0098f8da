import { isIPv6 } from 'node:net';
import type { ObjectMeta } from './object.js';

export type Labels = Readonly<Record<string, string>>;

export const PREFIX = '__meta_kubernetes_';

/** Name, labels and annotations of an object: `__meta_kubernetes_pod_name`, `…_pod_label_app`, … */
export function objectLabels(role: string, meta: ObjectMeta): Record<string, string> {
  return { [`${PREFIX}${role}_name`]: meta.name, ...keyLabels(role, meta) };
}

/** Labels and annotations. Each has a twin that says that it is there: values may be empty. */
export function keyLabels(role: string, { labels, annotations }: ObjectMeta): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [what, values] of [
    ['label', labels],
    ['annotation', annotations],
  ] as const) {
    for (const [key, value] of Object.entries(values)) {
      const name = sanitize(key);
      all[`${PREFIX}${role}_${what}_${name}`] = value;
      all[`${PREFIX}${role}_${what}present_${name}`] = 'true';
    }
  }
  return all;
}

/** What no label name of old may have becomes an underscore. */
export function sanitize(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_');
}

export function hostPort(host: string, port: string | number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An address that a port may be put after. */
export function hostAlone(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

import { type Fields, fields, text, texts } from './fields.js';

export interface ObjectMeta {
  /** Empty for what stands outside of namespaces. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Of an object as much as targets are made of: whole ones are many times as large. */
export interface KubernetesObject {
  readonly meta: ObjectMeta;
}

export type KindName = 'pod' | 'service' | 'endpoints' | 'endpointslice' | 'node' | 'ingress' | 'namespace';

export interface Kind<T extends KubernetesObject> {
  readonly name: KindName;
  /** Between the server and the resource, such as `/api/v1`. */
  readonly group: string;
  readonly resource: string;
  read(raw: Fields, meta: ObjectMeta): T;
}

export function readMeta(raw: Fields): ObjectMeta {
  const meta = fields(raw.metadata);
  return {
    namespace: text(meta.namespace),
    name: text(meta.name),
    uid: text(meta.uid),
    version: text(meta.resourceVersion),
    labels: texts(meta.labels),
    annotations: texts(meta.annotations),
  };
}

/** `namespace/name`, or `name`. */
export function keyOf({ namespace, name }: Pick<ObjectMeta, 'namespace' | 'name'>): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** Says which object something was made of. */
export function reference(kind: KindName, key: string): string {
  return `${kind} ${key}`;
}

export interface ObjectReference {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export function readReference(value: unknown): ObjectReference | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { kind, namespace, name } = fields(value);
  return { kind: text(kind), namespace: text(namespace), name: text(name) };
}

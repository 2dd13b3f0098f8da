import type { TargetGroup } from '../../model/target-group.js';
import { keyLabels, type Labels, objectLabels } from './meta-labels.js';
import { type KindName, type KubernetesObject, reference } from './object.js';
import type { Pod } from './pod.js';
import type { Service } from './service.js';

/** Objects by key, as they are now. */
export interface Lookup {
  readonly pods: ReadonlyMap<string, Pod>;
  readonly services: ReadonlyMap<string, Service>;
  /** Undefined: targets get no labels of theirs. */
  readonly nodes: ReadonlyMap<string, KubernetesObject> | undefined;
  readonly namespaces: ReadonlyMap<string, KubernetesObject> | undefined;
}

/** How targets are made of one kind of objects. */
export interface Role<T extends KubernetesObject> {
  /** Undefined: the object has no targets. */
  build(object: T, lookup: Lookup): TargetGroup | undefined;
  /** The objects of other kinds that `build` looks at, by `reference`. */
  references(object: T, lookup: Lookup): string[];
  /** Other kinds that lie in the same namespaces. */
  readonly needs: readonly Extract<KindName, 'pod' | 'service'>[];
}

export function nodeLabels(name: string | undefined, { nodes }: Lookup): Labels {
  const node = name === undefined ? undefined : nodes?.get(name);
  return node === undefined ? {} : objectLabels('node', node.meta);
}

export function namespaceLabels(name: string, { namespaces }: Lookup): Labels {
  const namespace = namespaces?.get(name);
  return namespace === undefined ? {} : keyLabels('namespace', namespace.meta);
}

export function namespaceReference(name: string, { namespaces }: Lookup): string[] {
  return namespaces === undefined ? [] : [reference('namespace', name)];
}

export function nodeReference(name: string | undefined, { nodes }: Lookup): string[] {
  return nodes === undefined || name === undefined ? [] : [reference('node', name)];
}

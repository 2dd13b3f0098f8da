import type { Kind, KubernetesObject } from './object.js';

export type NamespaceObject = KubernetesObject;

export const namespaceKind: Kind<NamespaceObject> = {
  name: 'namespace',
  group: '/api/v1',
  resource: 'namespaces',
  read: (_, meta) => ({ meta }),
};

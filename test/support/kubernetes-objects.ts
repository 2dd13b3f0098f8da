/** Kubernetes objects for tests, as `kubectl get -o json` shows them. */
import type { ApiObject } from './kubernetes-api.js';

export function pod(
  name: string,
  ip: string,
  ports: readonly number[] = [8080],
  more: object = {},
): ApiObject {
  return {
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      labels: { 'app.kubernetes.io/name': name, tier: '' },
      annotations: { 'prometheus.io/scrape': 'true' },
      ownerReferences: [
        { kind: 'Other', name: 'other' },
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${name}-rs`, controller: true },
      ],
      managedFields: [{ manager: 'kubelet' }],
    },
    spec: {
      nodeName: 'node-1',
      containers: [
        {
          name: 'main',
          image: 'main:1',
          ports: ports.map((containerPort) => ({
            name: `p${containerPort}`,
            containerPort,
            protocol: 'TCP',
          })),
        },
      ],
    },
    status: {
      phase: 'Running',
      podIP: ip,
      hostIP: '10.1.0.1',
      conditions: [
        { type: 'Initialized', status: 'True' },
        { type: 'Ready', status: 'True' },
      ],
      containerStatuses: [{ name: 'main', containerID: 'containerd://1' }],
    },
    ...more,
  };
}

export function service(name: string, spec: object = {}, labels: object = { app: name }): ApiObject {
  const ports = [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 8080 }];
  return {
    metadata: { name, namespace: 'default', labels, annotations: { note: 'x' } },
    spec: { type: 'ClusterIP', clusterIP: '10.2.0.1', ports, ...spec },
  };
}

export function endpoints(name: string, subsets: readonly object[]): ApiObject {
  return { metadata: { name, namespace: 'default', labels: { kind: 'e' } }, subsets };
}

export function endpointSlice(name: string, of: string, more: object): ApiObject {
  const labels = { 'kubernetes.io/service-name': of };
  return { metadata: { name, namespace: 'default', labels }, addressType: 'IPv4', endpoints: [], ports: [], ...more }; // biome-ignore format: one line
}

export function node(name: string, labels: object = { zone: 'a' }): ApiObject {
  return {
    metadata: { name, labels, annotations: { 'node.alpha/ttl': '0' } },
    spec: { providerID: `cloud://${name}` },
    status: {
      addresses: [
        { type: 'Hostname', address: name },
        { type: 'InternalIP', address: '10.1.0.1' },
        { type: 'InternalIP', address: 'fd00::1' },
      ],
      conditions: [{ type: 'MemoryPressure', status: 'False' }],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    },
  };
}

export function namespace(name: string, labels: object): ApiObject {
  return { metadata: { name, labels, annotations: { owner: 'team' } } };
}

export const podReference = (name: string) => ({ kind: 'Pod', namespace: 'default', name });

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_HTTP_CLIENT, DEFAULT_TLS } from '../../http-client/options.js';
import type { KubernetesDiscoveryOptions } from '../options.js';
import type { ApiAccess } from './api-client.js';
import { readKubeconfig } from './kubeconfig.js';

export interface ClusterAccess extends ApiAccess {
  /** Of the pod that exemplard runs in; empty where it was not asked for. */
  readonly ownNamespace: string;
}

/** What a cluster gives to every pod. */
export interface ClusterEnvironment {
  readonly variables: NodeJS.ProcessEnv;
  /** With the files `token`, `ca.crt` and `namespace`. */
  readonly serviceAccount: string;
}

export const OWN_CLUSTER: ClusterEnvironment = {
  variables: process.env,
  serviceAccount: '/var/run/secrets/kubernetes.io/serviceaccount',
};

/** @throws Error that says what is missing */
export async function findAccess(
  options: KubernetesDiscoveryOptions,
  environment: ClusterEnvironment,
): Promise<ClusterAccess> {
  const { kubeconfigFile, apiServer: server, httpClient } = options;
  if (kubeconfigFile !== undefined) return { ...(await readKubeconfig(kubeconfigFile)), ownNamespace: '' };
  if (server !== '') return { server, httpClient, ownNamespace: '' };
  return accessFromWithin(environment, options.namespaces.ownNamespace);
}

/** The token is rotated, and so read again when it changes. */
async function accessFromWithin(
  { variables, serviceAccount }: ClusterEnvironment,
  needsNamespace: boolean,
): Promise<ClusterAccess> {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '' } = variables;
  if (host === '' || port === '') {
    const where = 'give api_server or kubeconfig_file, except in a pod';
    throw new Error(`KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; ${where}`);
  }
  const ownNamespace = needsNamespace ? await readNamespace(join(serviceAccount, 'namespace')) : '';
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    httpClient: {
      ...DEFAULT_HTTP_CLIENT,
      auth: { type: 'authorization', scheme: 'Bearer', credentials: { file: join(serviceAccount, 'token') } },
      tls: { ...DEFAULT_TLS, ca: { file: join(serviceAccount, 'ca.crt') } },
      followRedirects: false,
      enableHttp2: false,
    },
    ownNamespace,
  };
}

async function readNamespace(path: string): Promise<string> {
  const namespace = (await readFile(path, 'utf8')).trim();
  if (namespace === '') throw new Error(`${path} is empty: which namespace is the own one is not known`);
  return namespace;
}

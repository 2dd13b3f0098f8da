/** How targets are found, all defaults resolved. Plain data, so that two can be compared. */
import type { HttpClientOptions } from '../http-client/options.js';
import type { TargetGroup } from '../model/target-group.js';

export interface StaticDiscoveryOptions {
  readonly type: 'static';
  readonly groups: readonly TargetGroup[];
}

/** Files with lists of groups, read again when they change. */
export interface FileDiscoveryOptions {
  readonly type: 'file';
  /** Absolute; `*`, `?` and `[a-z]` may stand in the last part. */
  readonly files: readonly string[];
  readonly refreshIntervalMs: number;
}

/** A URL that answers with a list of groups. */
export interface HttpDiscoveryOptions {
  readonly type: 'http';
  /** Without credentials. */
  readonly url: string;
  /** For labels and logs: what may be a secret in `url` is masked. */
  readonly shownUrl: string;
  readonly refreshIntervalMs: number;
  readonly httpClient: HttpClientOptions;
}

export const DNS_RECORD_TYPES = ['SRV', 'A', 'AAAA', 'MX', 'NS'] as const;
export type DnsRecordType = (typeof DNS_RECORD_TYPES)[number];

export interface DnsDiscoveryOptions {
  readonly type: 'dns';
  readonly names: readonly string[];
  readonly recordType: DnsRecordType;
  /** Of the targets; SRV records bring their own. */
  readonly port: number;
  readonly refreshIntervalMs: number;
  /** Name servers, `IP:PORT`; empty: those of the system, with its search domains. */
  readonly servers: readonly string[];
}

export const KUBERNETES_ROLES = ['pod', 'service', 'endpoints', 'endpointslice', 'node', 'ingress'] as const;
export type KubernetesRole = (typeof KUBERNETES_ROLES)[number];

export interface KubernetesSelector {
  readonly role: KubernetesRole;
  readonly label: string;
  readonly field: string;
}

export interface KubernetesDiscoveryOptions {
  readonly type: 'kubernetes';
  readonly role: KubernetesRole;
  /** Empty: that of `kubeconfigFile`, or of the pod that exemplard runs in. */
  readonly apiServer: string;
  readonly kubeconfigFile: string | undefined;
  readonly namespaces: { readonly ownNamespace: boolean; readonly names: readonly string[] };
  readonly selectors: readonly KubernetesSelector[];
  readonly attachMetadata: { readonly node: boolean; readonly namespace: boolean };
  readonly httpClient: HttpClientOptions;
}

export type DiscoveryOptions =
  | StaticDiscoveryOptions
  | FileDiscoveryOptions
  | HttpDiscoveryOptions
  | DnsDiscoveryOptions
  | KubernetesDiscoveryOptions;

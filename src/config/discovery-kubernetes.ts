/** `kubernetes_sd_configs` as read → options. Rules are those of Prometheus. */
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { KubernetesDiscoveryOptions, KubernetesRole, KubernetesSelector } from '../discovery/options.js';
import { DEFAULT_HTTP_CLIENT, type HttpClientOptions } from '../http-client/options.js';
import type { KUBERNETES_SD_KEYS, KUBERNETES_SELECTOR_KEYS } from './discovery-keys.js';
import { quote } from './document.js';
import { type FileContext, resolveHttpClient } from './http-client-schema.js';
import type { IssueReport } from './issue.js';
import { isFieldSelector, isLabelSelector } from './kubernetes-selector.js';
import type { Section } from './table.js';
import { splitUrl } from './url-credentials.js';

type KubernetesSection = Section<typeof KUBERNETES_SD_KEYS>;

const SELECTABLE: Readonly<Record<KubernetesRole, readonly KubernetesRole[]>> = {
  pod: ['pod', 'node'],
  service: ['service'],
  endpoints: ['pod', 'service', 'endpoints'],
  endpointslice: ['pod', 'service', 'endpointslice'],
  node: ['node'],
  ingress: ['ingress'],
};

export function resolveKubernetes(
  section: KubernetesSection,
  context: FileContext,
): KubernetesDiscoveryOptions {
  const { values } = section;
  const role = values.role ?? 'pod';
  const { url, auth } = splitUrl(values.api_server);
  const credentials = auth === undefined ? [] : ['credentials in api_server'];
  const client = resolveHttpClient(section, context, credentials);
  refuseConflicts(section, client, context.report);
  const { own_namespace: ownNamespace, names } = values.namespaces.values;
  const { node, namespace } = values.attach_metadata.values;
  return {
    type: 'kubernetes',
    role,
    apiServer: url,
    kubeconfigFile:
      values.kubeconfig_file === undefined ? undefined : resolve(context.directory, values.kubeconfig_file),
    namespaces: { ownNamespace, names },
    selectors: section.refused('role') ? [] : resolveSelectors(section, role, context.report),
    attachMetadata: { node, namespace },
    httpClient: { ...client, auth: auth ?? client.auth },
  };
}

function refuseConflicts(section: KubernetesSection, client: HttpClientOptions, report: IssueReport): void {
  const { path, values } = section;
  const { api_server: server, kubeconfig_file: kubeconfig, namespaces } = values;
  const isCustom = !isDeepStrictEqual(client, { ...DEFAULT_HTTP_CLIENT, enableHttp2: false });
  const refuse = (key: keyof KubernetesSection['values'], message: string) =>
    report.error(section.at(key), `${path}: ${message}`);
  if (server !== undefined && kubeconfig !== undefined)
    refuse('kubeconfig_file', 'kubeconfig_file and api_server exclude each other');
  if (isCustom && kubeconfig !== undefined)
    refuse(
      'kubeconfig_file',
      'kubeconfig_file brings its own credentials; no other HTTP client keys may be given',
    );
  else if (isCustom && server === undefined && !section.refused('api_server'))
    refuse('api_server', 'HTTP client keys need an api_server that they are for');
  if (!namespaces.values.own_namespace || (server === undefined && kubeconfig === undefined)) return;
  const other = server === undefined ? 'kubeconfig_file' : 'api_server';
  report.error(
    namespaces.at('own_namespace'),
    `${namespaces.path}.own_namespace and ${other} exclude each other: only within a cluster there is an own namespace`,
  );
}

function resolveSelectors(
  section: KubernetesSection,
  role: KubernetesRole,
  report: IssueReport,
): KubernetesSelector[] {
  const seen = new Set<KubernetesRole>();
  return section.values.selectors.map((selector) => {
    const { role: selected = role } = selector.values;
    if (seen.has(selected))
      report.error(selector.at('role'), `${selector.path}.role: there is a selector for ${selected} already`);
    else if (!SELECTABLE[role].includes(selected)) {
      const may = SELECTABLE[role].join(', ');
      report.error(
        selector.at('role'),
        `${selector.path}.role must be one of ${may} for role ${role}, got ${selected}`,
      );
    }
    seen.add(selected);
    checkSyntax(selector, report);
    return { role: selected, label: selector.values.label, field: selector.values.field };
  });
}

function checkSyntax(selector: Section<typeof KUBERNETES_SELECTOR_KEYS>, report: IssueReport): void {
  const { label, field } = selector.values;
  const refuse = (key: 'label' | 'field', example: string) => {
    const got = quote(selector.values[key]);
    report.error(
      selector.at(key),
      `${selector.path}.${key} must be a ${key} selector like ${example}, got ${got}`,
    );
  };
  if (!isLabelSelector(label)) refuse('label', 'app=shop,tier!=cache');
  if (!isFieldSelector(field)) refuse('field', 'spec.nodeName=node-1');
}

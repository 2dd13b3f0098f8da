/** The discovery keys of a job as read → the options of each mechanism. */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type {
  DiscoveryOptions,
  DnsDiscoveryOptions,
  FileDiscoveryOptions,
  HttpDiscoveryOptions,
} from '../discovery/options.js';
import type { TargetGroup } from '../model/target-group.js';
import { redactUrl } from '../util/secrets.js';
import type {
  DISCOVERY_KEYS,
  DNS_SD_KEYS,
  FILE_SD_KEYS,
  HTTP_SD_KEYS,
  STATIC_CONFIG_KEYS,
} from './discovery-keys.js';
import { resolveKubernetes } from './discovery-kubernetes.js';
import { quote } from './document.js';
import { type FileContext, resolveHttpClient } from './http-client-schema.js';
import type { IssueReport, Position } from './issue.js';
import { filesOf } from './matching-files.js';
import type { Section } from './table.js';
import { splitUrl } from './url-credentials.js';

/** The part of a job's section that is read here. */
type DiscoverySection = Pick<Section<typeof DISCOVERY_KEYS>, 'path' | 'values'>;

/** @param isRelabelled whether `relabel_configs` may make addresses of what is none */
export function resolveDiscovery(
  { path, values }: DiscoverySection,
  isRelabelled: boolean,
  context: FileContext,
): DiscoveryOptions[] {
  const groups = values.static_configs.map((group, i) =>
    resolveStaticGroup(group, `${path}.static_configs[${i}]`, isRelabelled, context.report),
  );
  return [
    ...(groups.length === 0 ? [] : [{ type: 'static', groups } as const]),
    ...values.file_sd_configs.map((each) => resolveFile(each, context)),
    ...values.http_sd_configs.map((each) => resolveHttp(each, context)),
    ...values.dns_sd_configs.map((each) => resolveDns(each, context.report)),
    ...values.kubernetes_sd_configs.map((each) => resolveKubernetes(each, context)),
  ];
}

function resolveStaticGroup(
  group: Section<typeof STATIC_CONFIG_KEYS>,
  source: string,
  isRelabelled: boolean,
  report: IssueReport,
): TargetGroup {
  const { targets, labels } = group.values;
  for (const { value, at } of targets) if (!isRelabelled) checkAddress(value, at, report);
  return { source, targets: targets.map(({ value }) => ({ __address__: value })), labels };
}

const NOT_IN_AN_ADDRESS = /[\s/?#@]/;

/** A URL as a target is the usual mistake, except where relabelling turns it into a parameter (blackbox exporter). */
function checkAddress(address: string, at: Position, report: IssueReport): void {
  if (!NOT_IN_AN_ADDRESS.test(address)) return;
  const target = `target ${quote(address)}`;
  if (address.includes('/')) {
    const instead = 'give HOST:PORT here, and scheme and metrics_path beside job_name';
    report.error(at, `${target} looks like a URL; ${instead}`);
  } else report.error(at, `${target} is not of the form HOST:PORT`);
}

function refuseEmpty(items: readonly unknown[], path: string, at: Position, report: IssueReport): void {
  if (items.length === 0) report.error(at, `${path} must not be empty, got []`);
}

/** Prometheus' own rule (discovery/file, `patFileSDName`). */
const LIST_FILE = /^[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)$/;

function resolveFile(section: Section<typeof FILE_SD_KEYS>, context: FileContext): FileDiscoveryOptions {
  const { files = [], refresh_interval: refreshIntervalMs } = section.values;
  if (section.given('files'))
    refuseEmpty(files, `${section.path}.files`, section.at('files'), context.report);
  for (const [i, { value, at }] of files.entries()) {
    if (LIST_FILE.test(value)) {
      if (filesOf(value, context.directory).length === 0)
        context.report.warn(at, `${section.path}.files[${i}]: there is no such file now: ${quote(value)}`);
      continue;
    }
    const rule = 'must end in .json, .yml or .yaml, and may have * in its last part only';
    context.report.error(at, `${section.path}.files[${i}] ${rule}, got ${quote(value)}`);
  }
  return {
    type: 'file',
    files: files.map(({ value }) => resolve(context.directory, value)),
    refreshIntervalMs,
  };
}

function resolveHttp(section: Section<typeof HTTP_SD_KEYS>, context: FileContext): HttpDiscoveryOptions {
  const { url, auth } = splitUrl(section.values.url);
  const credentials = auth === undefined ? [] : ['credentials in url'];
  const client = resolveHttpClient(section, context, credentials);
  return {
    type: 'http',
    url,
    shownUrl: redactUrl(url),
    refreshIntervalMs: section.values.refresh_interval,
    httpClient: { ...client, auth: auth ?? client.auth },
  };
}

function resolveDns(section: Section<typeof DNS_SD_KEYS>, report: IssueReport): DnsDiscoveryOptions {
  const { names = [], type: recordType, port = 0, refresh_interval, servers } = section.values;
  if (section.given('names')) refuseEmpty(names, `${section.path}.names`, section.at('names'), report);
  if (recordType !== 'SRV' && port === 0 && !section.refused('port')) {
    const message = `${section.path}.port is required, except with SRV records, and must not be 0`;
    report.error(section.at('port'), message);
  }
  for (const [i, { value, at }] of servers.entries()) {
    if (isNameServer(value)) continue;
    const form = 'must be an IP address, with or without a port: 10.0.0.10:53, [fd00::a]:53';
    report.error(at, `${section.path}.servers[${i}] ${form}; got ${quote(value)}`);
  }
  return {
    type: 'dns',
    names,
    recordType,
    port,
    refreshIntervalMs: refresh_interval,
    servers: servers.map(({ value }) => value),
  };
}

const WITH_PORT = /^(?:\[(?<ipv6>[^\]]+)\]|(?<ipv4>[\d.]+))(?::(?<port>\d{1,5}))?$/;

/** As the resolver of Node.js takes them. */
function isNameServer(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const { ipv6, ipv4, port = '53' } = WITH_PORT.exec(text)?.groups ?? {};
  const isAddress = ipv6 === undefined ? isIP(ipv4 ?? '') === 4 : isIP(ipv6) === 6;
  return isAddress && Number(port) >= 1 && Number(port) <= 65_535;
}

/** The keys of a job that say how its targets are found. */
import { DNS_RECORD_TYPES, type DnsRecordType, KUBERNETES_ROLES } from '../discovery/options.js';
import { httpClientKeys } from './http-client-keys.js';
import {
  notYet,
  optional,
  required,
  section,
  subsection,
  type Table,
  type UnappliedKey,
  withDefault,
} from './table.js';
import {
  boolean,
  count,
  httpUrl,
  list,
  located,
  nonEmptyText,
  oneOf,
  positiveDuration,
  record,
  scalar,
  text,
} from './value-type.js';

export const STATIC_CONFIG_KEYS = {
  targets: withDefault(list(located(nonEmptyText)), [], 'Addresses to scrape, each `HOST:PORT`.'),
  labels: withDefault(record(text), {}, 'Labels of all these targets.'),
};

export const FILE_SD_KEYS = {
  files: required(
    list(located(nonEmptyText)),
    'Paths of files with lists of `{targets, labels}`, ending in `.json`, `.yml` or `.yaml`; in the last part of a path `*` stands for anything. They are watched.',
  ),
  refresh_interval: withDefault(
    positiveDuration,
    300_000,
    'How often they are read even if nothing seems to change.',
  ),
};

export const HTTP_SD_KEYS = {
  url: required(
    httpUrl,
    'What answers with a list of `{targets, labels}` in JSON. A user name and password in it are sent as basic authentication.',
  ),
  refresh_interval: withDefault(positiveDuration, 60_000, 'How often it is asked.'),
  ...httpClientKeys(true),
};

/** In any case, as in Prometheus. */
const dnsRecordType = scalar<DnsRecordType>({
  name: DNS_RECORD_TYPES.map((type) => `\`${type}\``).join(', '),
  expectation: `one of ${DNS_RECORD_TYPES.join(', ')}`,
  parse: (given) => DNS_RECORD_TYPES.find((type) => type === given.toUpperCase()),
});

export const DNS_SD_KEYS = {
  names: required(list(nonEmptyText), 'Names to look up.'),
  type: withDefault(dnsRecordType, 'SRV', 'Records to look for.'),
  port: optional(
    count(0, 65_535),
    'Port of the targets. Required, except with SRV records, which bring their own.',
  ),
  refresh_interval: withDefault(positiveDuration, 30_000, 'How often they are looked up.'),
  servers: withDefault(
    list(located(nonEmptyText)),
    [],
    'Name servers to ask, each `IP:PORT`; names must then be complete. Empty: those of the system, with its search domains.',
  ),
};

const KUBERNETES_NAMESPACES_KEYS = {
  own_namespace: withDefault(boolean, false, 'Whether the namespace exemplard runs in is searched, too.'),
  names: withDefault(list(nonEmptyText), [], 'Namespaces to search; none: all.'),
};

export const KUBERNETES_SELECTOR_KEYS = {
  role: required(oneOf(KUBERNETES_ROLES), 'Which objects it selects.'),
  label: withDefault(text, '', 'Label selector, such as `app=shop,tier!=cache`.'),
  field: withDefault(text, '', 'Field selector, such as `spec.nodeName=node-1`.'),
};

const OWNER_NAMES = 'targets get no such label; __meta_kubernetes_pod_controller_name is there';

const KUBERNETES_METADATA_KEYS = {
  node: withDefault(boolean, false, 'Whether targets get the labels and annotations of their node.'),
  namespace: withDefault(boolean, false, 'Whether targets get those of their namespace.'),
  deployment: notYet(OWNER_NAMES, 'false'),
  job: notYet(OWNER_NAMES, 'false'),
  cronjob: notYet(OWNER_NAMES, 'false'),
};

export const KUBERNETES_SD_KEYS = {
  role: required(oneOf(KUBERNETES_ROLES), 'What kind of objects targets are made of.'),
  api_server: optional(
    httpUrl,
    'URL of the API server. A user name and password in it are sent as basic authentication.',
    'that of the cluster exemplard runs in, with its service account',
  ),
  kubeconfig_file: optional(
    nonEmptyText,
    'File that says where the API server is, and which credentials it takes; without plugins.',
  ),
  namespaces: subsection(KUBERNETES_NAMESPACES_KEYS, 'Where to search.'),
  selectors: withDefault(
    list(section(KUBERNETES_SELECTOR_KEYS)),
    [],
    'Which objects to take, for each role one; the API server selects them.',
  ),
  attach_metadata: subsection(KUBERNETES_METADATA_KEYS, 'Labels to add to targets.'),
  // A watch is a response that goes on for minutes: in HTTP/1.1 it has a connection to itself.
  ...httpClientKeys(false),
};

const MECHANISMS_LACKED = [
  'aws',
  'azure',
  'consul',
  'digitalocean',
  'docker',
  'dockerswarm',
  'ec2',
  'eureka',
  'gce',
  'hetzner',
  'ionos',
  'kuma',
  'lightsail',
  'linode',
  'marathon',
  'nerve',
  'nomad',
  'openstack',
  'outscale',
  'ovhcloud',
  'puppetdb',
  'scaleway',
  'serverset',
  'stackit',
  'triton',
  'uyuni',
  'vultr',
];

export const INSTEAD_OF_LACKED = 'list them in static_configs, or serve them to http_sd_configs';

/** Told by `skipped-jobs.ts`, by the name of the job. */
const keysLacked: Readonly<Record<string, UnappliedKey>> = Object.fromEntries(
  MECHANISMS_LACKED.map((mechanism) => [
    `${mechanism}_sd_configs`,
    { ...notYet(`the targets it would find are not scraped; ${INSTEAD_OF_LACKED}`), toldLater: true },
  ]),
);

export const KEYS_LACKED: readonly string[] = Object.keys(keysLacked);

const KEYS_APPLIED = {
  static_configs: withDefault(list(section(STATIC_CONFIG_KEYS)), [], 'Targets, in groups that share labels.'),
  file_sd_configs: withDefault(list(section(FILE_SD_KEYS)), [], 'Targets listed in files.'),
  http_sd_configs: withDefault(list(section(HTTP_SD_KEYS)), [], 'Targets that a URL lists.'),
  dns_sd_configs: withDefault(list(section(DNS_SD_KEYS)), [], 'Targets that DNS records name.'),
  kubernetes_sd_configs: withDefault(
    list(section(KUBERNETES_SD_KEYS)),
    [],
    'Targets that the objects of a Kubernetes cluster are.',
  ),
};

export const DISCOVERY_KEYS = { ...KEYS_APPLIED, ...keysLacked };

export const DISCOVERY_KEYS_APPLIED = Object.keys(KEYS_APPLIED) as readonly (keyof typeof KEYS_APPLIED)[];

/** For the reference: the sections of a job that are read by these tables, by their path in it. */
export const DISCOVERY_SECTIONS: readonly (readonly [path: string, table: Table])[] = [
  ['static_configs[]', STATIC_CONFIG_KEYS],
  ['file_sd_configs[]', FILE_SD_KEYS],
  ['http_sd_configs[]', HTTP_SD_KEYS],
  ['dns_sd_configs[]', DNS_SD_KEYS],
  ['kubernetes_sd_configs[]', KUBERNETES_SD_KEYS],
  ['kubernetes_sd_configs[].namespaces', KUBERNETES_NAMESPACES_KEYS],
  ['kubernetes_sd_configs[].selectors[]', KUBERNETES_SELECTOR_KEYS],
  ['kubernetes_sd_configs[].attach_metadata', KUBERNETES_METADATA_KEYS],
];

/** Keys of discovery: what they become, and what Prometheus refuses. */
import t from 'tap';
import { DISCOVERY_KEYS } from '../../src/config/discovery-keys.js';
import { resolveDiscovery } from '../../src/config/discovery-schema.js';
import { parseDocument } from '../../src/config/document.js';
import { IssueReport } from '../../src/config/issue.js';
import { isFieldSelector, isLabelSelector } from '../../src/config/kubernetes-selector.js';
import { maskSecrets } from '../../src/config/mask.js';
import { readRoot } from '../../src/config/table.js';
import type { DiscoveryOptions } from '../../src/discovery/options.js';
import { DEFAULT_HTTP_CLIENT } from '../../src/http-client/options.js';

function load(text: string, isRelabelled = false) {
  const report = new IssueReport('f');
  const section = readRoot(DISCOVERY_KEYS, parseDocument(text, report)!, report);
  const options = section && resolveDiscovery(section, isRelabelled, { directory: '/etc/x', report });
  return { options, report };
}

t.test('keys and options', async (t) => {
  const f = (text: string, want: DiscoveryOptions) => {
    const { options, report } = load(text);
    const warnings = report.warnings.filter(({ message }) => !message.includes('there is no such file now'));
    t.strictSame([report.errors, warnings, options], [[], [], [want]], text);
  };
  f('static_configs: [{targets: [a:1], labels: {x: 1}}, {}]', {
    type: 'static',
    groups: [
      { source: '.static_configs[0]', targets: [{ __address__: 'a:1' }], labels: { x: '1' } },
      { source: '.static_configs[1]', targets: [], labels: {} },
    ],
  });
  f('file_sd_configs: [{files: [a.json, "/b/*.yml", "../c/x-*.YAML"]}]', {
    type: 'file',
    files: ['/etc/x/a.json', '/b/*.yml', '/etc/c/x-*.YAML'],
    refreshIntervalMs: 300_000,
  });
  f('http_sd_configs: [{url: "http://h/x?token=t"}]', {
    type: 'http',
    url: 'http://h/x?token=t',
    shownUrl: 'http://h/x?token=<secret>',
    refreshIntervalMs: 60_000,
    httpClient: DEFAULT_HTTP_CLIENT,
  });
  f('http_sd_configs: [{url: "https://me:p%40ss@h/x", refresh_interval: 1h, enable_http2: false}]', {
    type: 'http',
    url: 'https://h/x',
    shownUrl: 'https://h/x',
    refreshIntervalMs: 3_600_000,
    httpClient: {
      ...DEFAULT_HTTP_CLIENT,
      auth: { type: 'basic', username: { text: 'me' }, password: { text: 'p@ss' } },
      enableHttp2: false,
    },
  });
  f('dns_sd_configs: [{names: [a.test, b.test]}]', {
    type: 'dns',
    names: ['a.test', 'b.test'],
    recordType: 'SRV',
    port: 0,
    refreshIntervalMs: 30_000,
    servers: [],
  });
  f('dns_sd_configs: [{names: [a], type: aaaa, port: 80, servers: ["127.0.0.1:53", "::1", "[::1]:5353"]}]', {
    type: 'dns',
    names: ['a'],
    recordType: 'AAAA',
    port: 80,
    refreshIntervalMs: 30_000,
    servers: ['127.0.0.1:53', '::1', '[::1]:5353'],
  });
  const kubernetes = {
    type: 'kubernetes',
    role: 'pod',
    apiServer: '',
    kubeconfigFile: undefined,
    namespaces: { ownNamespace: false, names: [] },
    selectors: [],
    attachMetadata: { node: false, namespace: false },
    httpClient: { ...DEFAULT_HTTP_CLIENT, enableHttp2: false },
  } as const;
  f('kubernetes_sd_configs: [{role: pod, follow_redirects: true, tls_config: }]', kubernetes);
  f('kubernetes_sd_configs: [{role: endpointslice, api_server: "https://u:p@k:6443/base", tls_config: {insecure_skip_verify: true}}]', {
    ...kubernetes,
    role: 'endpointslice',
    apiServer: 'https://k:6443/base',
    httpClient: {
      ...kubernetes.httpClient,
      auth: { type: 'basic', username: { text: 'u' }, password: { text: 'p' } },
      tls: { ...DEFAULT_HTTP_CLIENT.tls, insecureSkipVerify: true },
    },
  }); // biome-ignore format: one line
  f(
    `kubernetes_sd_configs:
  - role: endpoints
    kubeconfig_file: kube/config
    namespaces: {names: [a, b]}
    attach_metadata: {node: true, namespace: yes}
    selectors: [{role: pod, label: "app in (a, b),!c"}, {role: service, field: metadata.name=x}]`,
    {
      ...kubernetes,
      role: 'endpoints',
      kubeconfigFile: '/etc/x/kube/config',
      namespaces: { ownNamespace: false, names: ['a', 'b'] },
      attachMetadata: { node: true, namespace: true },
      selectors: [
        { role: 'pod', label: 'app in (a, b),!c', field: '' },
        { role: 'service', label: '', field: 'metadata.name=x' },
      ],
    },
  );
});

t.test('what is refused, and where', async (t) => {
  const f = (text: string, ...want: string[]) => {
    const got = load(text).report.errors.map(({ line, column, message }) => `${line}:${column}: ${message}`);
    t.strictSame(got, want, text);
  };
  const rule = 'must end in .json, .yml or .yaml, and may have * in its last part only';
  f('file_sd_configs: [{files: [a.txt, "*/a.json", "a*/b.json"]}]', `1:28: file_sd_configs[0].files[0] ${rule}, got "a.txt"`, `1:35: file_sd_configs[0].files[1] ${rule}, got "*/a.json"`, `1:47: file_sd_configs[0].files[2] ${rule}, got "a*/b.json"`); // biome-ignore format: one line
  f('file_sd_configs: [{files: []}]', '1:27: file_sd_configs[0].files must not be empty, got []');
  f('file_sd_configs: [{}]', '1:19: file_sd_configs[0].files is missing or empty');
  f('file_sd_configs: [{files: [a.json], refresh_interval: 0s}]', '1:55: file_sd_configs[0].refresh_interval must be a duration above 0 like 500ms, 30s or 1h30m, got "0s"'); // biome-ignore format: one line
  f('http_sd_configs: [{}]', '1:19: http_sd_configs[0].url is missing or empty');
  f('http_sd_configs: [{url: "ftp://me:hunter2@h/"}]', '1:25: http_sd_configs[0].url must be a URL that starts with http:// or https://, got "ftp://me:<secret>@h/"'); // biome-ignore format: one line
  t.match(load('http_sd_configs: [{url: "http://me:pw@h/", bearer_token: x}]').report.errors[0]?.message, /at most one of .* got credentials in url, bearer_token/); // biome-ignore format: one line
  f('dns_sd_configs: [{names: []}]', '1:26: dns_sd_configs[0].names must not be empty, got []');
  f('dns_sd_configs: [{names: [a], type: TXT}]', '1:37: dns_sd_configs[0].type must be one of SRV, A, AAAA, MX, NS, got "TXT"'); // biome-ignore format: one line
  f('dns_sd_configs: [{names: [a], type: A}]', '1:18: dns_sd_configs[0].port is required, except with SRV records, and must not be 0'); // biome-ignore format: one line
  f('dns_sd_configs: [{names: [a], servers: ["dns.test:53", "1.2.3.4:0", "[1.2.3.4]:53"]}]', ...[41, 56, 69].map((column, i) => `1:${column}: dns_sd_configs[0].servers[${i}] must be an IP address, with or without a port: 10.0.0.10:53, [fd00::a]:53; got ${['"dns.test:53"', '"1.2.3.4:0"', '"[1.2.3.4]:53"'][i]}`)); // biome-ignore format: one line
  const kubernetes = (keys: string, ...want: string[]) => f(`kubernetes_sd_configs: [{${keys}}]`, ...want);
  kubernetes('', '1:25: kubernetes_sd_configs[0].role is missing or empty');
  kubernetes('role: gateway', '1:32: kubernetes_sd_configs[0].role must be one of pod, service, endpoints, endpointslice, node, ingress, got "gateway"'); // biome-ignore format: one line
  kubernetes('role: pod, kubeconfig_file: a, api_server: "http://a"', '1:54: kubernetes_sd_configs[0]: kubeconfig_file and api_server exclude each other'); // biome-ignore format: one line
  kubernetes('role: pod, kubeconfig_file: a, bearer_token: t', '1:54: kubernetes_sd_configs[0]: kubeconfig_file brings its own credentials; no other HTTP client keys may be given'); // biome-ignore format: one line
  kubernetes('role: pod, basic_auth: {}', '1:25: kubernetes_sd_configs[0]: HTTP client keys need an api_server that they are for'); // biome-ignore format: one line
  const own =
    '.own_namespace and api_server exclude each other: only within a cluster there is an own namespace';
  kubernetes('role: pod, api_server: "http://a", namespaces: {own_namespace: true}', `1:89: kubernetes_sd_configs[0].namespaces${own}`); // biome-ignore format: one line
  const selectors = (role: string, given: string, ...want: string[]) =>
    kubernetes(`role: ${role}, selectors: [${given}]`, ...want);
  selectors('service', '{role: pod}', '1:60: kubernetes_sd_configs[0].selectors[0].role must be one of service for role service, got pod'); // biome-ignore format: one line
  selectors('pod', '{role: pod}, {role: node}, {role: pod}', '1:83: kubernetes_sd_configs[0].selectors[2].role: there is a selector for pod already'); // biome-ignore format: one line
  selectors('pod', '{role: pod, label: "a b", field: x}', '1:68: kubernetes_sd_configs[0].selectors[0].label must be a label selector like app=shop,tier!=cache, got "a b"', '1:82: kubernetes_sd_configs[0].selectors[0].field must be a field selector like spec.nodeName=node-1, got "x"'); // biome-ignore format: one line
});

t.test('what is lacked is no error, and the rest goes on', async (t) => {
  const { options, report } = load(
    'ec2_sd_configs: [{region: x}]\nazure_sd_configs: []\nstatic_configs: [{targets: [a:1]}]',
  );
  t.strictSame([report.errors, report.warnings], [[], []], 'the job says it');
  t.equal(options?.length, 1);
  const { warnings } = load('kubernetes_sd_configs: [{role: pod, attach_metadata: {deployment: true, job: false}}]').report; // biome-ignore format: one line
  t.match(warnings, [{ message: /attach_metadata.deployment is not applied/ }]);
});

t.test('secrets are masked', async (t) => {
  const masked = maskSecrets(`scrape_configs:
  - job_name: a
    http_sd_configs:
      - url: http://me:hunter1@h/?api_key=hunter2
        authorization: {credentials: hunter3}
        tls_config: {key: hunter4}
    kubernetes_sd_configs:
      - role: pod
        api_server: https://hunter5@k
        basic_auth: {username: u, password: hunter6}
        oauth2: {client_secret: hunter7}
        http_headers: {X-A: {secrets: [hunter8]}}
`);
  t.notMatch(masked, /hunter/);
});

t.test('selectors, as Kubernetes reads them', async (t) => {
  const label = (text: string, want: boolean) => t.equal(isLabelSelector(text), want, text);
  for (const text of ['', 'a', '!a', 'a=b', 'a==b', 'a!=b', 'a=', 'x.io/a=b,c', ' a = b , c in (d,e) ', 'a notin (b)', 'a in ()', 'n>1', 'n<2']) label(text, true); // biome-ignore format: one line
  for (const text of ['a b', '=b', 'a=b,', 'a=b c', 'a in b', 'a in (b', '-a', 'a=-', 'x/y/z', 'a>b']) label(text, false); // biome-ignore format: one line
  const field = (text: string, want: boolean) => t.equal(isFieldSelector(text), want, text);
  for (const text of ['', 'a=b', 'a==b', 'a!=b', 'spec.nodeName=x,status.phase!=y', 'a=', 'a=b\\,c\\=d']) field(text, true); // biome-ignore format: one line
  for (const text of ['a', 'a=b,c', '=b', 'a=b=c', 'a=b\\x']) field(text, false);
});

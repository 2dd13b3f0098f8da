import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { KubernetesDiscovery } from '../../src/discovery/kubernetes/discovery.js';
import { readKubeconfig } from '../../src/discovery/kubernetes/kubeconfig.js';
import { DEFAULT_HTTP_CLIENT, DEFAULT_TLS, type HttpClientOptions } from '../../src/http-client/options.js';
import { systemClock } from '../../src/util/clock.js';
import { temporaryDirectory } from '../support/build.js';
import { Authority, HAS_OPENSSL } from '../support/certificates.js';
import { Found } from '../support/discovery.js';
import { KubernetesApi } from '../support/kubernetes-api.js';
import * as k8s from '../support/kubernetes-objects.js';
import { until } from '../support/until.js';

const base64 = (text: string) => Buffer.from(text).toString('base64');

function kubeconfig(cluster: string, user: string): string {
  return `apiVersion: v1
kind: Config
current-context: here
preferences: {}
contexts:
- name: elsewhere
  context: {cluster: no, user: no}
- name: here
  context:
    cluster: c
    user: u
    namespace: ignored
clusters:
- name: c
  cluster: {server: "https://k.test:6443", ${cluster}}
users:
- name: u
  user: {${user}}
`;
}

t.test('what it says, as options', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'config');
  const f = async (cluster: string, user: string, want: Partial<HttpClientOptions>) => {
    writeFileSync(path, kubeconfig(cluster, user));
    const defaults = { ...DEFAULT_HTTP_CLIENT, followRedirects: false, enableHttp2: false };
    t.strictSame(await readKubeconfig(path), { server: 'https://k.test:6443', httpClient: { ...defaults, ...want } }); // biome-ignore format: one line
  };
  const bearer = (credentials: { text: string } | { file: string }) =>
    ({ type: 'authorization', scheme: 'Bearer', credentials }) as const;
  await f('', '', {});
  await f('', 'token: t', { auth: bearer({ text: 't' }) });
  await f('', 'token: t, tokenFile: sub/token', { auth: bearer({ file: join(directory, 'sub/token') }) });
  await f('', 'username: me, password: 5', {
    auth: { type: 'basic', username: { text: 'me' }, password: { text: '5' } },
  });
  await f(
    'certificate-authority: ca.crt, tls-server-name: x',
    'client-certificate: /c.crt, client-key: c.key',
    {
      tls: {
        ...DEFAULT_TLS,
        ca: { file: join(directory, 'ca.crt') },
        cert: { file: '/c.crt' },
        key: { file: join(directory, 'c.key') },
        serverName: 'x',
      },
    },
  );
  await f(
    `certificate-authority: no, certificate-authority-data: ${base64('CA')}, insecure-skip-tls-verify: true`,
    `client-certificate-data: ${base64('CERT')}, client-key-data: ${base64('KEY')}`,
    {
      tls: {
        ...DEFAULT_TLS,
        ca: { text: 'CA' },
        cert: { text: 'CERT' },
        key: { text: 'KEY' },
        insecureSkipVerify: true,
      },
    },
  );
  await f('proxy-url: "http://p:1"', '', { proxy: { ...DEFAULT_HTTP_CLIENT.proxy, url: 'http://p:1' } });
});

t.test('what it lacks is said, and no secret with it', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'config');
  const f = async (text: string, message: RegExp) => {
    writeFileSync(path, text);
    await t.rejects(readKubeconfig(path), { message }, String(message));
    await t.rejects(readKubeconfig(path), { message: /^kubeconfig_file \/.*\/config: (?!.*hunter)/ });
  };
  const whole = kubeconfig('', 'token: hunter2');
  await f('', /it has no current-context$/);
  await f('[]', /it has no current-context$/);
  await f(whole.replace('current-context: here', 'current-context: gone'), /it has no context "gone"$/);
  await f(whole.replace('cluster: c', 'cluster: d'), /it has no cluster "d"$/);
  await f(whole.replace('user: u', 'user: v'), /it has no user "v"$/);
  await f(whole.replace('https://k.test:6443', 'k.test:6443'), /cluster c has no server that is a URL$/);
  await f(kubeconfig('', 'exec: {command: aws}, token: hunter2'), /user "u" has exec, which is not supported; give a token, tokenFile or client certificate$/); // biome-ignore format: one line
  await f(kubeconfig('', 'auth-provider: {name: gcp}'), /user "u" has auth-provider/);
  await f(kubeconfig('', 'as: root'), /user "u" has as,/);
  await f('users: [{token: hunter2}', /line 1, column 25/);
  await t.rejects(readKubeconfig(join(directory, 'gone')), { message: /there is no such file/ });
  mkdirSync(join(directory, 'directory'));
  await t.rejects(readKubeconfig(join(directory, 'directory')), { message: /no regular file/ });
});

t.test('by certificate, to a server that wants one', { skip: !HAS_OPENSSL }, async (t) => {
  const directory = await temporaryDirectory(t);
  const authority = new Authority(directory, 'cluster');
  const api = await KubernetesApi.listen({
    ...authority.sign('api', 'DNS:kubernetes.test'),
    ca: authority.pair.cert,
    requestCert: true,
    rejectUnauthorized: true,
  });
  t.teardown(() => api.close());
  api.set('nodes', k8s.node('node-1'));
  const client = authority.sign('client', 'DNS:client');
  const kubeconfigFile = join(directory, 'config');
  const text = kubeconfig(
    `certificate-authority-data: ${base64(authority.pair.cert)}, tls-server-name: kubernetes.test`,
    `client-certificate-data: ${base64(client.cert)}, client-key-data: ${base64(client.key)}`,
  );
  const found = new Found(systemClock);
  const discovery = new KubernetesDiscovery(
    {
      type: 'kubernetes',
      role: 'node',
      apiServer: '',
      kubeconfigFile,
      namespaces: { ownNamespace: false, names: [] },
      selectors: [],
      attachMetadata: { node: false, namespace: false },
      httpClient: DEFAULT_HTTP_CLIENT,
    },
    found.parts,
    undefined,
    () => 0,
  );
  found.start(discovery);
  t.teardown(() => discovery.stop());
  await until(() => found.warnings.length === 1, 'a warning');
  writeFileSync(kubeconfigFile, text.replace('https://k.test:6443', `https://127.0.0.1:${api.port}`));
  await found.until(['10.1.0.1:10250']);
  await api.watched(1);
  t.match(found.warnings, [/there is no such file/], 'it came a moment later');
});

/**
 * The file that kubectl has its clusters and credentials in. What it says is taken as kubectl takes it; plugins that
 * it names are not run.
 */
import { dirname, resolve } from 'node:path';
import { type AuthOptions, DEFAULT_TLS, type HttpClientOptions, NO_PROXY, type Secret } from '../../http-client/options.js'; // biome-ignore format: one line
import { readBoundedFile } from '../bounded-file.js';
import { messageOf } from '../trouble-log.js';
import { parseYaml } from '../yaml-list.js';
import type { ApiAccess } from './api-client.js';
import { type Fields, fields, list, text } from './fields.js';

const MAX_BYTES = 1024 * 1024;

/** @throws Error that names the file and what it lacks, never what it holds */
export async function readKubeconfig(path: string): Promise<ApiAccess> {
  try {
    const bytes = await readBoundedFile(path, MAX_BYTES);
    if (bytes === undefined) throw new Error('there is no such file');
    return accessOf(fields(parseYaml(bytes.toString('utf8'))), dirname(path));
  } catch (error) {
    throw new Error(`kubeconfig_file ${path}: ${messageOf(error)}`);
  }
}

function accessOf(config: Fields, directory: string): ApiAccess {
  const current = text(config['current-context']);
  if (current === '') throw new Error('it has no current-context');
  const context = named(config, 'context', current);
  const cluster = named(config, 'cluster', text(context.cluster));
  const userName = text(context.user);
  const user = userName === '' ? {} : named(config, 'user', userName);
  const server = text(cluster.server);
  if (!/^https?:\/\//.test(server) || !URL.canParse(server))
    throw new Error(`cluster ${context.cluster} has no server that is a URL`);
  refusePlugins(user, userName);
  const secret = (from: Fields, key: string) => secretOf(from, key, directory);
  const httpClient: HttpClientOptions = {
    auth: authOf(user, directory),
    headers: {},
    tls: {
      ...DEFAULT_TLS,
      ca: secret(cluster, 'certificate-authority'),
      cert: secret(user, 'client-certificate'),
      key: secret(user, 'client-key'),
      serverName: text(cluster['tls-server-name']),
      insecureSkipVerify: text(cluster['insecure-skip-tls-verify']) === 'true',
    },
    proxy: { ...NO_PROXY, url: text(cluster['proxy-url']) },
    followRedirects: false,
    enableHttp2: false,
  };
  return { server, httpClient };
}

/** `contexts: [{name: …, context: {…}}]`, and so on. */
function named(config: Fields, what: 'context' | 'cluster' | 'user', name: string): Fields {
  const found = list(config[`${what}s`]).map(fields).find((each) => each.name === name); // biome-ignore format: one line
  if (found === undefined) throw new Error(`it has no ${what} ${JSON.stringify(name)}`);
  return fields(found[what]);
}

/** Programs that would be run to get a token, and pretending to be somebody else. */
function refusePlugins(user: Fields, name: string): void {
  const given = ['exec', 'auth-provider', 'as', 'as-uid', 'as-groups'].find((key) => key in user);
  if (given === undefined) return;
  const instead = 'give a token, tokenFile or client certificate';
  throw new Error(`user ${JSON.stringify(name)} has ${given}, which is not supported; ${instead}`);
}

function authOf(user: Fields, directory: string): AuthOptions {
  const [token, tokenFile] = [text(user.token), text(user.tokenFile)];
  if (token !== '' || tokenFile !== '') {
    const credentials = tokenFile === '' ? { text: token } : { file: resolve(directory, tokenFile) };
    return { type: 'authorization', scheme: 'Bearer', credentials };
  }
  const username = text(user.username);
  if (username === '') return { type: 'none' };
  return { type: 'basic', username: { text: username }, password: { text: text(user.password) } };
}

/** Data in the file itself wins. */
function secretOf(from: Fields, key: string, directory: string): Secret | undefined {
  const data = text(from[`${key}-data`]);
  if (data !== '') return { text: Buffer.from(data, 'base64').toString('utf8') };
  const file = text(from[key]);
  return file === '' ? undefined : { file: resolve(directory, file) };
}

/** How requests are made, as read → the options of the HTTP client. Rules and words are those of Prometheus. */
import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import {
  type AuthOptions,
  DEFAULT_TLS,
  type HeaderSecrets,
  type HttpClientOptions,
  type ProxyOptions,
  type Secret,
  type TlsOptions,
} from '../http-client/options.js';
import { checkHeaderName, checkHeaderToken, checkHeaderValue } from './headers.js';
import type {
  AUTHORIZATION_KEYS,
  BASIC_AUTH_KEYS,
  HttpClientSection,
  OAUTH2_KEYS,
  TLS_KEYS,
} from './http-client-keys.js';
import type { IssueReport, Position } from './issue.js';
import type { Section } from './table.js';
import type { Located } from './value-type.js';

export interface FileContext {
  /** Where the configuration file is: files it names are relative to it. */
  readonly directory: string;
  readonly report: IssueReport;
}

const AUTH_KEYS = ['basic_auth', 'authorization', 'oauth2', 'bearer_token', 'bearer_token_file'] as const;

/** @param otherAuth keys of the same section that give credentials, too, or words for such: those that are given */
export function resolveHttpClient(
  section: HttpClientSection,
  context: FileContext,
  otherAuth: readonly string[] = [],
): HttpClientOptions {
  refuseSecondAuth(section, otherAuth, context.report);
  const { values } = section;
  return {
    auth: resolveAuth(section, context),
    headers: resolveHttpHeaders(section, context),
    tls: resolveTls(values.tls_config, context),
    proxy: resolveProxy(section, context.report),
    followRedirects: values.follow_redirects,
    enableHttp2: values.enable_http2,
  };
}

function refuseSecondAuth(
  section: HttpClientSection,
  otherAuth: readonly string[],
  report: IssueReport,
): void {
  const given = AUTH_KEYS.filter((key) => section.given(key) && section.values[key] !== '');
  if (given.length + otherAuth.length < 2) return;
  const at = given.length > 0 ? section.at(given.at(-1)!) : section.at('basic_auth');
  const got = [...otherAuth, ...given].join(', ');
  report.error(at, `${section.path}: at most one of ${AUTH_KEYS.join(', ')} must be configured, got ${got}`);
}

function resolveAuth(section: HttpClientSection, context: FileContext): AuthOptions {
  const { basic_auth, authorization, oauth2, bearer_token, bearer_token_file } = section.values;
  if (basic_auth !== undefined) return resolveBasicAuth(basic_auth, context);
  if (authorization !== undefined) return resolveAuthorization(authorization, context);
  if (oauth2 !== undefined) return resolveOAuth2(oauth2, context);
  if (!bearer_token && !bearer_token_file) return { type: 'none' };
  const credentials = secretOf(section, 'bearer_token', context);
  checkInHeader(credentials, section.at('bearer_token'), `${section.path}.bearer_token`, context.report);
  return { type: 'authorization', scheme: 'Bearer', credentials };
}

function resolveBasicAuth(section: Section<typeof BASIC_AUTH_KEYS>, context: FileContext): AuthOptions {
  const username = secretOf(section, 'username', context);
  return { type: 'basic', username, password: secretOf(section, 'password', context) };
}

function resolveAuthorization(
  section: Section<typeof AUTHORIZATION_KEYS>,
  context: FileContext,
): AuthOptions {
  const { report } = context;
  const given = section.values.type.trim();
  const scheme = given === '' || /^bearer$/i.test(given) ? 'Bearer' : given;
  if (/^basic$/i.test(scheme)) {
    const message = `${section.path}: authorization type cannot be set to "basic", use "basic_auth" instead`;
    report.error(section.at('type'), message);
  }
  checkHeaderValue(scheme, section.at('type'), `${section.path}.type`, report);
  const credentials = secretOf(section, 'credentials', context);
  checkInHeader(credentials, section.at('credentials'), `${section.path}.credentials`, report);
  return { type: 'authorization', scheme, credentials };
}

function resolveOAuth2(section: Section<typeof OAUTH2_KEYS>, context: FileContext): AuthOptions {
  const { client_id, token_url, scopes, endpoint_params, tls_config } = section.values;
  for (const key of ['client_id', 'token_url'] as const) {
    if (section.values[key] || section.refused(key)) continue;
    context.report.error(section.at(key), `${section.path}: oauth2 ${key} must be configured`);
  }
  return {
    type: 'oauth2',
    oauth2: {
      clientId: client_id ?? '',
      clientSecret: secretOf(section, 'client_secret', context),
      scopes,
      tokenUrl: token_url ?? '',
      endpointParams: endpoint_params,
      tls: resolveTls(tls_config, context),
      proxy: resolveProxy(section, context.report),
    },
  };
}

export function resolveTls(section: Section<typeof TLS_KEYS> | undefined, context: FileContext): TlsOptions {
  if (section === undefined) return DEFAULT_TLS;
  const { values } = section;
  const cert = givenSecret(section, 'cert', context);
  const key = givenSecret(section, 'key', context);
  const refuse = (part: string, at: Position, other: string) =>
    context.report.error(
      at,
      `${section.path}: exactly one of ${part} or ${part}_file must be configured when a client ${other} is configured`,
    );
  if (cert !== undefined && key === undefined)
    refuse('key', section.at(section.given('cert') ? 'cert' : 'cert_file'), 'certificate');
  if (key !== undefined && cert === undefined)
    refuse('cert', section.at(section.given('key') ? 'key' : 'key_file'), 'key');
  return {
    ca: givenSecret(section, 'ca', context),
    cert,
    key,
    serverName: values.server_name,
    insecureSkipVerify: values.insecure_skip_verify,
    minVersion: values.min_version,
    maxVersion: values.max_version,
  };
}

/** The keys that requests and requests for tokens have alike. */
interface ProxySection {
  readonly path: string;
  readonly values: Pick<
    HttpClientSection['values'],
    'proxy_url' | 'no_proxy' | 'proxy_from_environment' | 'proxy_connect_header'
  >;
  at(key: keyof ProxySection['values']): Position;
  refused(key: keyof ProxySection['values']): boolean;
}

function resolveProxy(section: ProxySection, report: IssueReport): ProxyOptions {
  const { proxy_url, no_proxy, proxy_from_environment, proxy_connect_header } = section.values;
  const url = proxy_url ?? '';
  const names = Object.keys(proxy_connect_header);
  const hasUrl = url !== '' || section.refused('proxy_url');
  const refuse = (key: keyof ProxySection['values'], message: string) =>
    report.error(section.at(key), `${section.path}: ${message}`);
  if (names.length > 0 && !hasUrl && !proxy_from_environment) {
    const message =
      'if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured';
    refuse('proxy_connect_header', message);
  }
  if (proxy_from_environment && hasUrl)
    refuse('proxy_url', 'if proxy_from_environment is configured, proxy_url must not be configured');
  if (proxy_from_environment && no_proxy !== '')
    refuse('no_proxy', 'if proxy_from_environment is configured, no_proxy must not be configured');
  else if (no_proxy !== '' && !hasUrl)
    refuse('no_proxy', 'if no_proxy is configured, proxy_url must also be configured');
  const connectHeaders = resolveConnectHeaders(proxy_connect_header, section.path, report);
  return { url, noProxy: no_proxy, fromEnvironment: proxy_from_environment, connectHeaders };
}

function resolveConnectHeaders(
  headers: Readonly<Record<string, Located<readonly string[]>>>,
  path: string,
  report: IssueReport,
): HeaderSecrets {
  const resolved = Object.entries(headers).map(([name, { value, at }]) => {
    checkHeaderToken(name, at, `${path}.proxy_connect_header`, report);
    for (const each of value) checkHeaderValue(each, at, `${path}.proxy_connect_header.${name}`, report);
    return [name, value.map((text) => ({ text }))] as const;
  });
  return Object.fromEntries(resolved);
}

function resolveHttpHeaders({ path, values }: HttpClientSection, context: FileContext): HeaderSecrets {
  const { report } = context;
  const resolved = Object.entries(values.http_headers).map(([name, { value: header, at }]) => {
    checkHeaderName(name, at, `${path}.http_headers`, report);
    const texts = [...header.values.values, ...header.values.secrets];
    for (const each of texts) checkHeaderValue(each, at, `${path}.http_headers.${name}`, report);
    const files = header.values.files.map((file) => fileOf(file, header.at('files'), header.path, context));
    return [name, [...texts.map((text) => ({ text })), ...files]] as const;
  });
  return Object.fromEntries(resolved);
}

/** A section in which a key has a twin with `_file` at its end. */
interface SecretSection<Key extends string> {
  readonly path: string;
  readonly values: { readonly [Name in Key | `${Key}_file`]: string | undefined };
  at(key: Key | `${Key}_file`): Position;
}

/** Not given counts as empty, and empty as not given. */
export function secretOf<Key extends string>(
  section: SecretSection<NoInfer<Key>>,
  key: Key,
  context: FileContext,
): Secret {
  return givenSecret(section, key, context) ?? { text: '' };
}

export function givenSecret<Key extends string>(
  section: SecretSection<NoInfer<Key>>,
  key: Key,
  context: FileContext,
): Secret | undefined {
  const fileKey = `${key}_file` as const;
  const { [key]: text, [fileKey]: file } = section.values;
  if (text && file) {
    const message = `${section.path}: at most one of ${key} & ${fileKey} must be configured`;
    context.report.error(section.at(fileKey), message);
  }
  if (text) return { text };
  if (!file) return undefined;
  return fileOf(file, section.at(fileKey), `${section.path}.${fileKey}`, context);
}

/** A file may come later, as secrets in Kubernetes do: that it is missing is worth saying, and no error. */
function fileOf(file: string, at: Position, path: string, { directory, report }: FileContext): Secret {
  const absolute = resolve(directory, file);
  try {
    accessSync(absolute, constants.R_OK);
  } catch (error) {
    report.warn(at, `${path}: until it can be read, requests fail: ${(error as Error).message}`);
  }
  return { file: absolute };
}

/** What stands in a header as it is; basic authentication encodes its own. */
function checkInHeader(secret: Secret, at: Position, what: string, report: IssueReport): void {
  if ('text' in secret) checkHeaderValue(secret.text, at, what, report);
}

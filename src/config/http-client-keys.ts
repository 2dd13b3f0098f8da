/** Keys of how requests are made: what Prometheus calls HTTPClientConfig, wherever it stands in the file. */
import { DEFAULT_HTTP_CLIENT, DEFAULT_TLS, NO_PROXY, TLS_VERSIONS } from '../http-client/options.js';
import { notYet, optional, type Section, section, withDefault } from './table.js';
import {
  boolean,
  httpUrl,
  list,
  located,
  nonEmptyText,
  oneOf,
  proxyUrlOrEmpty,
  record,
  secret,
  text,
} from './value-type.js';

const SECRET_MANAGER = notYet('no secret manager is asked; give the secret itself or a file');
const READ_AGAIN = 'Read again when it changes.';

export const BASIC_AUTH_KEYS = {
  username: optional(text, 'User name.'),
  username_file: optional(text, `File with the user name. ${READ_AGAIN}`),
  username_ref: SECRET_MANAGER,
  password: optional(secret, 'Password.'),
  password_file: optional(text, `File with the password. ${READ_AGAIN}`),
  password_ref: SECRET_MANAGER,
};

export const AUTHORIZATION_KEYS = {
  type: withDefault(
    text,
    'Bearer',
    'First word of the `Authorization` header; `Basic` is what `basic_auth` is for.',
  ),
  credentials: optional(secret, 'The rest of the header.'),
  credentials_file: optional(text, `File with the rest of the header. ${READ_AGAIN}`),
  credentials_ref: SECRET_MANAGER,
};

export const TLS_KEYS = {
  ca: optional(
    text,
    'Certificates in PEM that the server must lead to.',
    'the authorities that come with Node.js',
  ),
  ca_file: optional(text, `File with them. ${READ_AGAIN}`),
  ca_ref: SECRET_MANAGER,
  cert: optional(text, 'Client certificate in PEM.'),
  cert_file: optional(text, `File with it. ${READ_AGAIN}`),
  cert_ref: SECRET_MANAGER,
  key: optional(secret, 'Key of the client certificate in PEM.'),
  key_file: optional(text, `File with it. ${READ_AGAIN}`),
  key_ref: SECRET_MANAGER,
  server_name: withDefault(
    text,
    DEFAULT_TLS.serverName,
    "Name that the server's certificate must have; empty: that of the URL.",
  ),
  insecure_skip_verify: withDefault(
    boolean,
    DEFAULT_TLS.insecureSkipVerify,
    'Whether any certificate will do.',
  ),
  min_version: optional(oneOf(TLS_VERSIONS), 'Oldest version of TLS to speak.', '`TLS12`'),
  max_version: optional(oneOf(TLS_VERSIONS), 'Newest version of TLS to speak.', '`TLS13`'),
};

const PROXY_KEYS = {
  proxy_url: optional(
    proxyUrlOrEmpty,
    'HTTP proxy to send through. A user name and password in it are told to the proxy alone.',
  ),
  no_proxy: withDefault(
    text,
    NO_PROXY.noProxy,
    'What is reached without the proxy, between commas: hosts (with all below them), `.domain`, addresses, CIDR blocks, each with a port if need be, or `*`.',
  ),
  proxy_from_environment: withDefault(
    boolean,
    NO_PROXY.fromEnvironment,
    'Whether the proxy is that of `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`.',
  ),
  proxy_connect_header: withDefault(
    record(located(list(secret))),
    {},
    'Headers for the proxy, sent with CONNECT; each a list of secrets.',
  ),
};

const CLIENT_CREDENTIALS_ONLY = notYet('the token is asked for with client_id and client_secret');

export const OAUTH2_KEYS = {
  client_id: optional(text, 'Required.'),
  client_secret: optional(secret, 'Secret of the client.'),
  client_secret_file: optional(text, `File with it. ${READ_AGAIN}`),
  client_secret_ref: SECRET_MANAGER,
  scopes: withDefault(list(text), [], 'Scopes of the token.'),
  token_url: optional(httpUrl, 'Where tokens are asked for. Required.'),
  endpoint_params: withDefault(record(text), {}, 'More parameters of that request.'),
  tls_config: optional(section(TLS_KEYS), 'TLS to `token_url`; keys as in `tls_config` beside `oauth2`.'),
  ...PROXY_KEYS,
  grant_type: notYet('the token is asked for with client credentials', 'client_credentials'),
  client_certificate_key_id: CLIENT_CREDENTIALS_ONLY,
  client_certificate_key: CLIENT_CREDENTIALS_ONLY,
  client_certificate_key_file: CLIENT_CREDENTIALS_ONLY,
  client_certificate_key_ref: CLIENT_CREDENTIALS_ONLY,
  signature_algorithm: CLIENT_CREDENTIALS_ONLY,
  iss: CLIENT_CREDENTIALS_ONLY,
  audience: CLIENT_CREDENTIALS_ONLY,
  claims: CLIENT_CREDENTIALS_ONLY,
};

export const HTTP_HEADER_KEYS = {
  values: withDefault(list(text), [], 'Values; each is sent as a header of its own.'),
  secrets: withDefault(list(secret), [], 'More values, not shown.'),
  files: withDefault(list(nonEmptyText), [], `Files with more values. ${READ_AGAIN}`),
};

/** @param enableHttp2 its default, which is not everywhere the same */
export function httpClientKeys(enableHttp2: boolean) {
  return {
    basic_auth: optional(section(BASIC_AUTH_KEYS), 'Credentials. One kind of credentials at most.'),
    authorization: optional(section(AUTHORIZATION_KEYS), 'Credentials as one `Authorization` header.'),
    oauth2: optional(section(OAUTH2_KEYS), 'Credentials as a token that is asked for and renewed.'),
    bearer_token: optional(secret, 'Short for `authorization.credentials`.'),
    bearer_token_file: optional(text, 'Short for `authorization.credentials_file`.'),
    tls_config: optional(section(TLS_KEYS), 'How TLS is spoken.', 'its own defaults'),
    ...PROXY_KEYS,
    http_headers: withDefault(
      record(located(section(HTTP_HEADER_KEYS))),
      {},
      'Headers to add to each request, by name. They go to no other host, as credentials do.',
    ),
    follow_redirects: withDefault(
      boolean,
      DEFAULT_HTTP_CLIENT.followRedirects,
      'Whether redirects are followed; if not, they are failures.',
    ),
    enable_http2: withDefault(
      boolean,
      enableHttp2,
      'Whether HTTP/2 is spoken to servers that offer it over TLS.',
    ),
  };
}

export type HttpClientSection = Section<ReturnType<typeof httpClientKeys>>;

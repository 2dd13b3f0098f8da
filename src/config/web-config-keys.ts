/** The web configuration file, in Prometheus' format: who may ask, and how it is encrypted. */

import { dirname } from 'node:path';
import { CLIENT_AUTH_TYPES, type ServerTlsOptions, type WebConfig } from '../http/web-config.js';
import { HEADER_VALUE, TLS_VERSIONS } from '../http-client/options.js';
import { parseDocument } from './document.js';
import { type FileContext, givenSecret } from './http-client-schema.js';
import { formatIssue, IssueReport, type Position } from './issue.js';
import { notYet, optional, readRoot, type Section, section, subsection, withDefault } from './table.js';
import { readTextFile } from './text-file.js';
import { boolean, list, located, nonEmptyText, oneOf, record, scalar, secret, text } from './value-type.js';

const bcryptHash = scalar({
  name: 'bcrypt hash',
  expectation: 'a bcrypt hash, as `htpasswd -nBC 10 ""` makes them',
  parse: (value) =>
    /^\$2[abxy]\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/.test(value) ? value : undefined,
  redact: () => '<secret>',
});

/** Go's names of suites of TLS 1.2 that are still safe, and OpenSSL's. Those of TLS 1.3 cannot be chosen, as in Go. */
const CIPHERS: Readonly<Record<string, string>> = {
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
};
const CURVES: Readonly<Record<string, string>> = {
  CurveP256: 'prime256v1',
  CurveP384: 'secp384r1',
  CurveP521: 'secp521r1',
  X25519: 'X25519',
};

/** As the exporter toolkit of Prometheus allows them, with what they may say; undefined: anything. */
const HEADERS: Readonly<Record<string, readonly string[] | undefined>> = {
  'Content-Security-Policy': undefined,
  'Strict-Transport-Security': undefined,
  'X-Content-Type-Options': ['nosniff'],
  'X-Frame-Options': ['deny', 'sameorigin'],
  'X-XSS-Protection': undefined,
};
const HEADER_NAMES = Object.keys(HEADERS);

export const TLS_SERVER_KEYS = {
  cert: optional(text, 'Certificate in PEM, with those between it and the authority.'),
  cert_file: optional(text, 'File with it. Read again when it changes.'),
  key: optional(secret, 'Its key in PEM.'),
  key_file: optional(text, 'File with it. Read again when it changes.'),
  client_auth_type: withDefault(
    oneOf([...CLIENT_AUTH_TYPES, '']),
    'NoClientCert',
    'Whether clients show a certificate.',
  ),
  client_ca: optional(text, 'What certificates of clients must lead to, in PEM.'),
  client_ca_file: optional(text, 'File with it. Read again when it changes.'),
  client_allowed_sans: withDefault(
    list(nonEmptyText),
    [],
    'Alternative names of which a client’s certificate must have one.',
  ),
  min_version: withDefault(
    oneOf(TLS_VERSIONS),
    'TLS12',
    'Oldest version of TLS to speak; `TLS12` or `TLS13`.',
  ),
  max_version: withDefault(oneOf(TLS_VERSIONS), 'TLS13', 'Newest version of TLS to speak.'),
  cipher_suites: withDefault(
    list(
      oneOf([
        ...Object.keys(CIPHERS),
        'TLS_AES_128_GCM_SHA256',
        'TLS_AES_256_GCM_SHA384',
        'TLS_CHACHA20_POLY1305_SHA256',
      ]),
    ),
    [],
    'Suites of TLS 1.2, in Go’s names; those of TLS 1.3 are always there.',
  ),
  prefer_server_cipher_suites: withDefault(boolean, true, 'Whether the server chooses the suite.'),
  curve_preferences: withDefault(list(oneOf(Object.keys(CURVES))), [], 'Curves, the best first.'),
};

export const HTTP_SERVER_KEYS = {
  http2: notYet('HTTP/1.1 is spoken', 'false'),
  headers: withDefault(
    record(located(text)),
    {},
    `Headers of answers: ${HEADER_NAMES.map((name) => `\`${name}\``).join(', ')}.`,
  ),
};

export const WEB_CONFIG_KEYS = {
  tls_server_config: optional(section(TLS_SERVER_KEYS), 'How TLS is spoken.', 'HTTP in the clear'),
  http_server_config: subsection(HTTP_SERVER_KEYS, 'More of HTTP.'),
  basic_auth_users: withDefault(
    record(bcryptHash),
    {},
    'Users, each with the bcrypt hash of a password. Everything needs one of them.',
  ),
  auth_excluded_paths: withDefault(
    list(nonEmptyText),
    [],
    'Paths that need no user, such as `/-/healthy`. (Not Prometheus’.)',
  ),
  rate_limit: notYet('requests are not limited by their rate'),
};

/** @throws {Error} with every error of the file, a line each */
export function loadWebConfig(path: string, warn: (message: string) => void): WebConfig {
  const report = new IssueReport(path);
  const content = readTextFile(path, report);
  const document = content === undefined ? undefined : parseDocument(content, report);
  const root = document && readRoot(WEB_CONFIG_KEYS, document, report);
  const config = root && resolveWebConfig(root, { directory: dirname(path), report });
  if (config === undefined || report.hasErrors) throw new Error(report.errors.map(formatIssue).join('\n'));
  for (const warning of report.warnings) warn(formatIssue(warning));
  return config;
}

function resolveWebConfig({ values }: Section<typeof WEB_CONFIG_KEYS>, context: FileContext): WebConfig {
  return {
    tls: values.tls_server_config && resolveServerTls(values.tls_server_config, context),
    users: new Map(Object.entries(values.basic_auth_users)),
    openPaths: values.auth_excluded_paths,
    headers: resolveHeaders(values.http_server_config, context.report),
  };
}

function resolveServerTls(
  tls: Section<typeof TLS_SERVER_KEYS>,
  context: FileContext,
): ServerTlsOptions | undefined {
  const { values, path } = tls;
  const { report } = context;
  const refuse = (at: Position, message: string) => report.error(at, `${path}: ${message}`);
  const cert = givenSecret(tls, 'cert', context);
  const key = givenSecret(tls, 'key', context);
  const clientCa = givenSecret(tls, 'client_ca', context);
  if (cert === undefined) refuse(tls.at('cert_file'), 'cert_file (or cert) must be configured');
  if (key === undefined) refuse(tls.at('key_file'), 'key_file (or key) must be configured');
  const clientAuth = values.client_auth_type || 'NoClientCert';
  const verifies = clientAuth === 'VerifyClientCertIfGiven' || clientAuth === 'RequireAndVerifyClientCert';
  if (verifies && clientCa === undefined)
    refuse(tls.at('client_auth_type'), `client_auth_type ${clientAuth} needs client_ca_file (or client_ca)`);
  if (clientCa !== undefined && clientAuth === 'NoClientCert')
    refuse(tls.at('client_auth_type'), 'client_ca is of no use with client_auth_type NoClientCert');
  if (values.client_allowed_sans.length > 0 && !verifies)
    refuse(tls.at('client_allowed_sans'), 'client_allowed_sans needs certificates that are verified: set client_auth_type'); // biome-ignore format: one line
  if (values.min_version < 'TLS12')
    refuse(tls.at('min_version'), `${values.min_version} is not safe: TLS12 or TLS13`);
  if (values.max_version < values.min_version)
    refuse(tls.at('max_version'), 'max_version is older than min_version');
  if (cert === undefined || key === undefined) return undefined;
  return {
    cert,
    key,
    clientAuth,
    clientCa,
    clientAllowedSans: values.client_allowed_sans,
    minVersion: values.min_version,
    maxVersion: values.max_version,
    ciphers: values.cipher_suites.flatMap((name) => CIPHERS[name] ?? []),
    prefersOwnCiphers: values.prefer_server_cipher_suites,
    curves: values.curve_preferences.flatMap((name) => CURVES[name] ?? []),
  };
}

function resolveHeaders(
  { values, path }: Section<typeof HTTP_SERVER_KEYS>,
  report: IssueReport,
): Record<string, string> {
  const headers: Record<string, string> = {};
  const refuse = (at: Position, message: string) => report.error(at, `${path}.headers${message}`);
  for (const [name, { value, at }] of Object.entries(values.headers)) {
    const known = HEADER_NAMES.find((header) => header.toLowerCase() === name.toLowerCase());
    const words = HEADERS[known ?? ''];
    if (known === undefined) refuse(at, `: ${name} is none of ${HEADER_NAMES.join(', ')}`);
    else if (words !== undefined && !words.includes(value.toLowerCase()))
      refuse(at, `.${name} must be one of ${words.join(', ')}, got ${JSON.stringify(value)}`);
    else if (!HEADER_VALUE.test(value)) refuse(at, `.${name} has a character that no header may have`);
    else headers[known.toLowerCase()] = value;
  }
  return headers;
}

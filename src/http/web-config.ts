/** What a web configuration file asks of the server, as plain data. */
import type { Secret, TlsVersion } from '../http-client/options.js';

/** Go's names: whether clients need a certificate, and whether it has to lead to an authority. */
export const CLIENT_AUTH_TYPES = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;
export type ClientAuthType = (typeof CLIENT_AUTH_TYPES)[number];

export interface ServerTlsOptions {
  readonly cert: Secret;
  readonly key: Secret;
  readonly clientAuth: ClientAuthType;
  /** What clients' certificates must lead to, PEM. */
  readonly clientCa: Secret | undefined;
  /** One of these a client's certificate must have; none: any will do. */
  readonly clientAllowedSans: readonly string[];
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** Of TLS 1.2, in OpenSSL's names; none: Node's own. */
  readonly ciphers: readonly string[];
  readonly prefersOwnCiphers: boolean;
  /** In OpenSSL's names; none: Node's own. */
  readonly curves: readonly string[];
}

export interface WebConfig {
  /** Undefined: HTTP in the clear. */
  readonly tls: ServerTlsOptions | undefined;
  /** bcrypt hashes of passwords, by user. None: everybody may ask. */
  readonly users: ReadonlyMap<string, string>;
  /** Paths that need no user. */
  readonly openPaths: readonly string[];
  /** Of every answer of our own. */
  readonly headers: Readonly<Record<string, string>>;
}

export const NO_WEB_CONFIG: WebConfig = { tls: undefined, users: new Map(), openPaths: [], headers: {} };

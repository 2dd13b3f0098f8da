/** What Prometheus calls HTTPClientConfig: how requests are made, whoever makes them. Plain data, so that two can be compared. */

/** A text that may be a secret: given itself, or by a file that is read again when it changes. */
export type Secret = { readonly text: string } | { readonly file: string };

/** RFC 9110, section 5.5; obs-text is left out, because it is sent as other bytes than it is written with. */
export const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

/** Header name → its values, each sent as a line of its own. */
export type HeaderSecrets = Readonly<Record<string, readonly Secret[]>>;

export type AuthOptions =
  | { readonly type: 'none' }
  | { readonly type: 'basic'; readonly username: Secret; readonly password: Secret }
  /** `Authorization: <scheme> <credentials>` */
  | { readonly type: 'authorization'; readonly scheme: string; readonly credentials: Secret }
  | { readonly type: 'oauth2'; readonly oauth2: OAuth2Options };

/** The grant `client_credentials` (RFC 6749, section 4.4). */
export interface OAuth2Options {
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly scopes: readonly string[];
  readonly tokenUrl: string;
  /** More parameters of the request for a token. */
  readonly endpointParams: Readonly<Record<string, string>>;
  /** Of the connection to the token endpoint. */
  readonly tls: TlsOptions;
  readonly proxy: ProxyOptions;
}

export const TLS_VERSIONS = ['TLS10', 'TLS11', 'TLS12', 'TLS13'] as const;
export type TlsVersion = (typeof TLS_VERSIONS)[number];

export interface TlsOptions {
  /** Certificates that a server must lead to, PEM; undefined: those that come with Node.js. */
  readonly ca: Secret | undefined;
  /** Client certificate and its key, PEM; both or none. */
  readonly cert: Secret | undefined;
  readonly key: Secret | undefined;
  /** The name that the server's certificate must have; empty: that of the URL. */
  readonly serverName: string;
  readonly insecureSkipVerify: boolean;
  readonly minVersion: TlsVersion | undefined;
  readonly maxVersion: TlsVersion | undefined;
}

export interface ProxyOptions {
  /** May hold credentials. Empty: none. */
  readonly url: string;
  /** As the environment variable `NO_PROXY`. */
  readonly noProxy: string;
  /** Take `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` of the environment. */
  readonly fromEnvironment: boolean;
  /** Sent to the proxy with CONNECT. */
  readonly connectHeaders: HeaderSecrets;
}

export interface HttpClientOptions {
  readonly auth: AuthOptions;
  /** Headers of every request. They go where the credentials go, and no further. */
  readonly headers: HeaderSecrets;
  readonly tls: TlsOptions;
  readonly proxy: ProxyOptions;
  readonly followRedirects: boolean;
  readonly enableHttp2: boolean;
}

export const DEFAULT_TLS: TlsOptions = {
  ca: undefined,
  cert: undefined,
  key: undefined,
  serverName: '',
  insecureSkipVerify: false,
  minVersion: undefined,
  maxVersion: undefined,
};

export const NO_PROXY: ProxyOptions = { url: '', noProxy: '', fromEnvironment: false, connectHeaders: {} };

export const DEFAULT_HTTP_CLIENT: HttpClientOptions = {
  auth: { type: 'none' },
  headers: {},
  tls: DEFAULT_TLS,
  proxy: NO_PROXY,
  followRedirects: true,
  enableHttp2: true,
};

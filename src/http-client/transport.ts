import type { Socket } from 'node:net';
import { Agent, buildConnector, Dispatcher } from 'undici';
import type { Clock } from '../util/clock.js';
import { readHeaders } from './headers.js';
import type { ProxyOptions, TlsOptions } from './options.js';
import { authorityOf, chooseProxy, type ProxyChoice, portOf, proxyAuthorization } from './proxy.js';
import type { SecretFiles } from './secret-files.js';
import { TlsConnector } from './tls.js';
import { openTunnel } from './tunnel.js';

/** For TCP, TLS and a proxy's answer each; a request's own timeout is its caller's. */
const CONNECT_TIMEOUT_MS = 30_000;

/** Of an answer. Go takes ten megabytes; Node.js, if not told, 16 KiB. */
const MAX_HEADER_BYTES = 256 * 1024;

const connectUsually = buildConnector({ timeout: CONNECT_TIMEOUT_MS });

export interface TransportParts {
  readonly tls: TlsOptions;
  readonly proxy: ProxyOptions;
  readonly enableHttp2: boolean;
  readonly files: SecretFiles;
  readonly clock: Clock;
  readonly environment: NodeJS.ProcessEnv;
  /** Makes connections without TLS, in the place of the usual way. */
  readonly connectPlain: buildConnector.connector | undefined;
  /** How long a connection may wait for its next request; undefined: as undici does. */
  readonly keepAliveMs: number | undefined;
}

/**
 * Connections: direct ones, and through proxies. To a server without TLS a proxy is asked for the whole URL, as
 * Go does; to one with TLS it opens a tunnel. undici's own ProxyAgent would do with certificates that never change.
 */
export class Transport extends Dispatcher {
  readonly #parts: TransportParts;
  readonly #proxyFor: ProxyChoice;
  readonly #connectPlain: buildConnector.connector;
  readonly #tls: TlsConnector;
  /** Proxies are spoken to in HTTP/1.1. */
  readonly #proxyTls: TlsConnector;
  readonly #direct: Agent;
  readonly #forwarded: Agent;
  readonly #tunnelled: Agent;

  constructor(parts: TransportParts) {
    super();
    const { tls, files, enableHttp2, keepAliveMs } = parts;
    this.#parts = parts;
    this.#proxyFor = chooseProxy(parts.proxy, parts.environment);
    this.#connectPlain = parts.connectPlain ?? connectUsually;
    const secure = { tls, files, connectTimeoutMs: CONNECT_TIMEOUT_MS };
    this.#tls = new TlsConnector({ ...secure, allowHttp2: enableHttp2 });
    this.#proxyTls = new TlsConnector({ ...secure, allowHttp2: false });
    const pool = {
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: MAX_HEADER_BYTES,
      ...(keepAliveMs === undefined
        ? {}
        : { keepAliveTimeout: keepAliveMs, keepAliveMaxTimeout: keepAliveMs }),
    };
    const plain = this.#connectPlain;
    this.#direct = new Agent({ ...pool, allowH2: enableHttp2, connect: byProtocol(plain, this.#tls) });
    this.#forwarded = new Agent({ ...pool, connect: toProxy(byProtocol(plain, this.#proxyTls)) });
    this.#tunnelled = new Agent({ ...pool, allowH2: enableHttp2, connect: this.#connectByTunnel });
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const origin = new URL(String(options.origin));
    const proxy = this.#proxyFor(origin);
    if (proxy === undefined) return this.#direct.dispatch(options, handler);
    if (origin.protocol === 'https:') return this.#tunnelled.dispatch(options, handler);
    const headers = { ...(options.headers as Record<string, string>), host: origin.host, ...proxyAuthorization(proxy) }; // biome-ignore format: one line
    const asked = { ...options, origin: proxy.origin, path: `${origin.origin}${options.path}`, headers };
    return this.#forwarded.dispatch(asked, handler);
  }

  override async close(): Promise<void> {
    await Promise.all([this.#direct.close(), this.#forwarded.close(), this.#tunnelled.close()]);
  }

  /** Ends idle connections and aborts exchanges. */
  override async destroy(): Promise<void> {
    await Promise.all([this.#direct.destroy(), this.#forwarded.destroy(), this.#tunnelled.destroy()]);
  }

  readonly #connectByTunnel: buildConnector.connector = (target, callback) => {
    const url = new URL(`${target.protocol}//${target.host ?? target.hostname}`);
    const proxy = this.#proxyFor(url)!;
    this.#tunnel(proxy, authorityOf(url)).then(
      (httpSocket) => this.#tls.connect({ ...target, httpSocket }, callback),
      (error: Error) => callback(error, null),
    );
  };

  async #tunnel(proxy: URL, authority: string): Promise<Socket> {
    const { proxy: options, files, clock } = this.#parts;
    const own = await readHeaders(options.connectHeaders, 'proxy_connect_header', files);
    const socket = await this.#connectToProxy(proxy);
    const headers = { ...own, ...proxyAuthorization(proxy) };
    return openTunnel({
      socket,
      authority,
      headers,
      proxy: proxy.origin,
      clock,
      timeoutMs: CONNECT_TIMEOUT_MS,
    });
  }

  #connectToProxy(proxy: URL): Promise<Socket> {
    const target = {
      protocol: proxy.protocol,
      hostname: proxy.hostname.replace(/^\[|\]$/g, ''),
      host: proxy.host,
      port: portOf(proxy),
    };
    return new Promise((resolve, reject) => {
      // Not the caller's connections: what comes out of a tunnel is TLS, which they know nothing of.
      byProtocol(connectUsually, this.#proxyTls)(target, (error, socket) => {
        if (error === null) resolve(socket);
        else reject(new Error(`proxy ${proxy.origin}: ${error.message || error.name}`));
      });
    });
  }
}

function byProtocol(plain: buildConnector.connector, tls: TlsConnector): buildConnector.connector {
  return (target, callback) => (target.protocol === 'https:' ? tls.connect : plain)(target, callback);
}

/** undici would have the certificate bear the name of the request's `Host`, which is not the proxy's. */
function toProxy(connect: buildConnector.connector): buildConnector.connector {
  return ({ servername: _, ...target }, callback) => connect(target, callback);
}

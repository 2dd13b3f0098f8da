/** The flags of the HTTP server, as its options. Names and meaning are those of Prometheus. */
import { resolve } from 'node:path';
import { loadWebConfig } from '../config/web-config-keys.js';
import type { ListenAddress, WebOptions } from '../http/listeners.js';
import type { QueryLimits } from '../http/query-limits.js';
import { NO_WEB_CONFIG } from '../http/web-config.js';
import { anchoredRegex } from '../model/matcher.js';
import type { Log } from '../util/log.js';
import { parseDurationMs } from '../util/units.js';
import { parseListenAddress } from './listen-address.js';
import { WEB_FLAG_DEFAULTS, type WebFlags } from './web-flags.js';

export const DEFAULT_LISTEN_ADDRESS = '127.0.0.1:9199';

export interface ReadWebFlags {
  readonly web: Omit<WebOptions, 'loadConfig'>;
  readonly queryLimits: QueryLimits;
  readonly isAllowedOrigin: ((origin: string) => boolean) | undefined;
}

/** @throws {Error} that names the flag */
export function readWebFlags(flags: WebFlags): ReadWebFlags {
  const externalPath = pathOfExternalUrl(flags['web.externalUrl']);
  const routePrefix = plainPath('web.route-prefix', flags['web.routePrefix'] ?? externalPath ?? '');
  const origin = flags['web.cors.origin'];
  return {
    web: {
      listen: listenAddresses(flags['web.listenAddress']),
      routePrefix,
      publicPrefix: externalPath ?? routePrefix,
      maxConnections: count(flags, 'web.maxConnections'),
      readTimeoutMs: durationMs(flags, 'web.readTimeout'),
    },
    queryLimits: {
      maxConcurrency: count(flags, 'query.maxConcurrency'),
      timeoutMs: durationMs(flags, 'query.timeout'),
      maxExemplars: count(flags, 'query.maxExemplars'),
    },
    isAllowedOrigin:
      origin === WEB_FLAG_DEFAULTS['web.cors.origin']
        ? undefined
        : named('web.cors.origin', () => anchoredRegex(origin)),
  };
}

/** Reads the file each time it is called. Without the flag: no TLS, no users. */
export function webConfigLoader(flags: WebFlags, log: Log): WebOptions['loadConfig'] {
  const file = flags['web.config.file'];
  if (file === undefined || file === '') return () => NO_WEB_CONFIG;
  return () => loadWebConfig(resolve(file), (message) => log.warn({}, message));
}

function listenAddresses(given: readonly string[]): ListenAddress[] {
  return (given.length === 0 ? [DEFAULT_LISTEN_ADDRESS] : given).map((text) => {
    const address = parseListenAddress(text);
    if (address === undefined)
      throw new Error(`--web.listen-address: ${JSON.stringify(text)} is not HOST:PORT`);
    return address;
  });
}

function pathOfExternalUrl(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new Error(
      `--web.external-url: ${JSON.stringify(text)} is no URL that starts with http:// or https://`,
    );
  return plainPath('web.external-url', url.pathname);
}

/** Empty, or with a slash before it and none behind. */
function plainPath(flag: string, text: string): string {
  const path = text.replace(/^\/+|\/+$/g, '');
  if (!/^[\w.~!$&'()*+,;=:@/-]*$/.test(path))
    throw new Error(`--${flag}: ${JSON.stringify(text)} is not a plain path`);
  return path === '' ? '' : `/${path}`;
}

type TextFlag = keyof typeof WEB_FLAG_DEFAULTS;

function count(flags: WebFlags, flag: TextFlag): number {
  const text = flags[flag];
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0)
    throw new Error(`--${nameOf(flag)}: ${JSON.stringify(text)} is not a whole number of 1 or more`);
  return Number(text);
}

function durationMs(flags: WebFlags, flag: TextFlag): number {
  const value = parseDurationMs(flags[flag]);
  if (!value || value > 2 ** 31 - 1)
    throw new Error(
      `--${nameOf(flag)}: ${JSON.stringify(flags[flag])} is not a duration above 0 like 30s or 5m`,
    );
  return value;
}

function named<Result>(flag: TextFlag, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw new Error(`--${nameOf(flag)}: ${(error as Error).message}`);
  }
}

/** `web.readTimeout` → `web.read-timeout`. */
function nameOf(flag: TextFlag): string {
  return flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** As `/api/v1/status/flags` shows them. */
export function shownWebFlags(flags: WebFlags): Record<string, string> {
  return {
    'web.listen-address': flags['web.listenAddress'].join(',') || DEFAULT_LISTEN_ADDRESS,
    'web.config.file': flags['web.config.file'] ?? '',
    'web.cors.origin': flags['web.cors.origin'],
    'web.external-url': flags['web.externalUrl'] ?? '',
    'web.route-prefix': flags['web.routePrefix'] ?? '',
    'web.max-connections': flags['web.maxConnections'],
    'web.read-timeout': flags['web.readTimeout'],
    'query.max-concurrency': flags['query.maxConcurrency'],
    'query.timeout': flags['query.timeout'],
    'query.max-exemplars': flags['query.maxExemplars'],
  };
}

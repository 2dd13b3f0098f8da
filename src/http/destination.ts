/**
 * Where a request goes, by its path alone: to a resource of our own, to the upstream, or to another address. Fastify's
 * router sees only our own paths, without the route prefix; the rest of its work never depends on the prefix.
 */
import type { IncomingMessage } from 'node:http';

/** Below it our own API is always found, whether or not there is an upstream that Prometheus' paths belong to. */
export const OWN_PREFIX = '/exemplard';

/** The route that all requests take which are not for our own resources. */
export const ELSEWHERE = '/-/elsewhere';

export type Elsewhere =
  /** With the query, as the client wrote it. */
  | { readonly kind: 'upstream'; readonly path: string }
  | { readonly kind: 'moved'; readonly to: string }
  | { readonly kind: 'unknown' };

export interface Addressing {
  /** Where our paths begin behind a proxy; empty, or like `/exemplars`. */
  readonly routePrefix: string;
  /** Where they begin for clients, whose addresses a proxy may change on their way here. */
  readonly publicPrefix: string;
  readonly hasUpstream: () => boolean;
}

/** What stays ours with an upstream: what no Prometheus has, and the reason that we stand before it. */
const OWN_PATHS = new Set(['/', '/metrics', '/api/v1/query_exemplars', '/api/v1/retention']);
const OWN_BEGINNINGS = ['/-/', '/assets/', '/api/v1/traces/', '/api/v1/sampling/'];

export class Destinations {
  readonly #addressing: Addressing;
  readonly #elsewhere = new WeakMap<IncomingMessage, Elsewhere>();

  constructor(addressing: Addressing) {
    this.#addressing = addressing;
  }

  /** The URL as our router shall see it. Notes where the request goes if not to a route of its own. */
  route(request: IncomingMessage): string {
    const url = originForm(request.url ?? '/');
    const { routePrefix, publicPrefix, hasUpstream } = this.#addressing;
    const send = (elsewhere: Elsewhere) => {
      this.#elsewhere.set(request, elsewhere);
      return ELSEWHERE;
    };
    const [path, query] = split(url);
    if (routePrefix !== '') {
      // No proxy sends that.
      if (path === '/') return send({ kind: 'moved', to: `${routePrefix}/${query}` });
      if (path === routePrefix) return send({ kind: 'moved', to: `${publicPrefix}/${query}` });
    }
    if (path === routePrefix + OWN_PREFIX)
      return send({ kind: 'moved', to: `${publicPrefix}${OWN_PREFIX}/${query}` });
    const own = belowPrefix(url, routePrefix);
    if (own === undefined) return send({ kind: 'unknown' });
    if (own.startsWith(`${OWN_PREFIX}/`)) return own.slice(OWN_PREFIX.length);
    return isOwn(own) || !hasUpstream() ? own : send({ kind: 'upstream', path: own });
  }

  /** Undefined for a client that asks for the route by its name. */
  elsewhere(request: IncomingMessage): Elsewhere | undefined {
    return this.#elsewhere.get(request);
  }
}

/** @returns undefined for what is beside it */
export function belowPrefix(url: string, routePrefix: string): string | undefined {
  return url.startsWith(`${routePrefix}/`) ? url.slice(routePrefix.length) : undefined;
}

/** RFC 9112, section 3.2.2: a server takes whole URLs, too. Which host they name is of no interest. */
function originForm(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '');
  return path.startsWith('/') ? path : `/${path}`;
}

/** Of the path as whoever is behind may read it: what is ours in any spelling never goes there. */
function isOwn(url: string): boolean {
  const path = split(url)[0]
    .replace(/%[0-7][0-9a-f]/gi, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)))
    .replace(/\/{2,}/g, '/');
  return OWN_PATHS.has(path) || OWN_BEGINNINGS.some((beginning) => path.startsWith(beginning));
}

function split(url: string): [path: string, query: string] {
  const end = url.indexOf('?');
  return end < 0 ? [url, ''] : [url.slice(0, end), url.slice(end)];
}

/** SOCKS proxies: Prometheus speaks to them, exemplard does not. Whoever has one in its section says what that means. */
import type { HttpClientSection } from './http-client-keys.js';
import type { Position } from './issue.js';

const SOCKS = /^socks5h?:/i;

export interface SocksProxy {
  /** Of the key. */
  readonly path: string;
  readonly at: Position;
}

/** @returns the first one of the section, that for its tokens (`oauth2`) included */
export function socksProxyOf(section: HttpClientSection): SocksProxy | undefined {
  for (const each of [section, section.values.oauth2])
    if (each !== undefined && SOCKS.test(each.values.proxy_url ?? ''))
      return { path: `${each.path}.proxy_url`, at: each.at('proxy_url') };
  return undefined;
}

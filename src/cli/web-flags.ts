/** As texts: what is wrong with them is said together with their names. */
export interface WebFlags {
  readonly 'web.listenAddress': readonly string[];
  readonly 'web.config.file'?: string;
  readonly 'web.cors.origin': string;
  readonly 'web.externalUrl'?: string;
  readonly 'web.routePrefix'?: string;
  readonly 'web.maxConnections': string;
  readonly 'web.readTimeout': string;
  readonly 'query.maxConcurrency': string;
  readonly 'query.timeout': string;
  readonly 'query.maxExemplars': string;
}

/** Here and not where they mean something, because `--help` loads none of the parts. */
export const WEB_FLAG_DEFAULTS = {
  'web.cors.origin': '.*',
  'web.maxConnections': '512',
  'web.readTimeout': '5m',
  'query.maxConcurrency': '20',
  'query.timeout': '2m',
  'query.maxExemplars': '5000000',
} as const;

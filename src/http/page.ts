import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import type { TraceLink } from '../model/trace-link.js';
import { sendData } from './answer.js';
import { plainText } from './other-methods.js';

/** What the page has to know of the process that serves it. */
export interface PageStatus {
  readonly version: string;
  readonly traceLinks: readonly TraceLink[];
  readonly traceIdLabels: readonly string[];
  readonly hasUpstream: boolean;
  readonly archive: 'none' | 'chdb' | 'clickhouse';
  readonly isLifecycleEnabled: boolean;
  readonly isSampling: boolean;
  readonly retentionTargetSeconds: number | null;
  readonly perSeries: number;
  /** Of one answer: a query without a `limit`, or with a greater one, may be refused. */
  readonly maxExemplars: number;
}

export interface PageParts {
  readonly pageStatus: () => PageStatus;
}

/** Made by `npm run page`. The same place from `src` and from `dist`. */
const PAGE_PATH = fileURLToPath(new URL('../../dist/page/', import.meta.url));

/**
 * Below a prefix that a proxy cuts off, `/exemplars` and `/exemplars/` look alike from here, but what is relative to the
 * first leads beside it. Not a `<base>`: that would be wrong for who comes past the proxy.
 */
const ADD_SLASH =
  "if(!location.pathname.endsWith('/'))location.replace(location.pathname+'/'+location.search+location.hash)";

/** What comes from targets is hostile: nothing may be loaded or run but what is built here. */
const PAGE_HEADERS = {
  'content-security-policy': `default-src 'none'; script-src 'self' 'sha256-${createHash('sha256').update(ADD_SLASH).digest('base64')}'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
};

/** `/` and what it loads. */
export async function pageRoutes(server: FastifyInstance): Promise<void> {
  if (!existsSync(PAGE_PATH)) {
    server.get('/', (_request, reply) => plainText(reply, 404, 'The page is not built: npm run page\n'));
    return;
  }
  // The names of assets change with what is in them.
  await server.register(fastifyStatic, {
    root: join(PAGE_PATH, 'assets'),
    prefix: '/assets/',
    maxAge: '365d',
    immutable: true,
    preCompressed: true,
    setHeaders(response) {
      response.setHeader('x-content-type-options', 'nosniff');
      // They are kept for a year, by caches between, too: not all who ask there can read what is compressed.
      response.setHeader('vary', 'Accept-Encoding');
    },
  });
  server.get('/', async (_request, reply) => {
    const html = await readFile(join(PAGE_PATH, 'index.html'), 'utf8');
    return reply
      .headers(PAGE_HEADERS)
      .header('cache-control', 'no-cache')
      .type('text/html; charset=utf-8')
      .send(html.replace('<head>', `<head>\n    <script>${ADD_SLASH}</script>`));
  });
}

/** `status/page`: what the page asks first. */
export function pageStatusRoute(api: FastifyInstance, { pageStatus }: PageParts): void {
  api.get('/status/page', (_request, reply) => sendData(reply, pageStatus()));
}

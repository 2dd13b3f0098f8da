/**
 * The scraped side of the benchmarks, a process of its own: serves `/metrics?target=NAME`, a body that changes
 * with every scrape. Told what to serve by its parent: see `TargetSettings`.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { ChangingBody } from '../support/bodies.js';

export interface TargetSettings {
  readonly series: number;
  readonly exemplarShare: number;
  /** Of the exemplars, those that are new in each body. */
  readonly newShare: number;
  /** A series whose index modulo this is not 0 changes only in the first body. */
  readonly busyEvery?: number;
  /** Each exemplar is shown in one body alone. */
  readonly once?: boolean;
  /** Bodies with anything new; later ones repeat the last. */
  readonly bodies?: number;
  /** Answers gzipped; both programs ask for it, and take what comes. */
  readonly gzip?: boolean;
  /** By default OpenMetrics. */
  readonly contentType?: string;
  /** Of each target: scrapes at another distance from the one before are counted as late. */
  readonly intervalMs?: number;
}

const settings: TargetSettings = JSON.parse(process.argv[2]!);
interface Served {
  readonly body: ChangingBody;
  served: number;
  last: Buffer;
  lastMs: number;
}

const targets = new Map<string, Served>();
/** How far from where they should have been scrapes were, milliseconds. */
let deviationsMs: number[] = [];
let bytes = 0;
let scrapes = 0;

const server = createServer((request, response) => {
  const url = new URL(request.url!, 'http://target');
  if (url.pathname === '/served') {
    response.end(JSON.stringify({ bytes, scrapes, deviationsMs }));
    deviationsMs = [];
    return;
  }
  const name = url.searchParams.get('target') ?? '';
  let target = targets.get(name);
  if (target === undefined) {
    target = {
      body: new ChangingBody({ ...settings, target: name }),
      served: 0,
      last: Buffer.alloc(0),
      lastMs: 0,
    };
    targets.set(name, target);
  }
  if (target.served++ < (settings.bodies ?? Number.POSITIVE_INFINITY)) {
    target.last = target.body.next(settings.newShare, Date.now(), settings.busyEvery, settings.once);
  }
  const nowMs = performance.now();
  if (settings.intervalMs !== undefined && target.lastMs > 0)
    deviationsMs.push(Math.abs(nowMs - target.lastMs - settings.intervalMs));
  target.lastMs = nowMs;
  bytes += target.last.length;
  scrapes++;
  const openMetrics = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
  const headers = { 'content-type': settings.contentType ?? openMetrics };
  response.writeHead(200, settings.gzip ? { ...headers, 'content-encoding': 'gzip' } : headers);
  response.end(settings.gzip ? gzipSync(target.last, { level: 1 }) : target.last);
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startExemplard } from '../support/exemplard.js';
import { startPrometheus } from '../support/prometheus.js';

/** One of the two programs under test, running. */
export interface Peer {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<unknown>;
}

export interface PeerKind {
  readonly name: 'Prometheus' | 'exemplard';
  start(config: string): Promise<Peer>;
}

/** What `both` of main.ts does. */
export type Both = <Result>(
  measure: (kind: PeerKind) => Promise<Result>,
) => Promise<{ prometheus: Result | undefined; exemplard: Result }>;

export const PROMETHEUS: PeerKind = {
  name: 'Prometheus',
  start: (config) => startPrometheus({ config }),
};

export const EXEMPLARD: PeerKind = { name: 'exemplard', start: (config) => startExemplard({ config }) };

export const EXEMPLARD_WITH_JOURNAL: PeerKind = {
  name: 'exemplard',
  async start(config) {
    const path = mkdtempSync(join(tmpdir(), 'exemplard-bench-'));
    const peer = await startExemplard({
      config: `${config}archive: {type: none}\n`,
      flags: [`--storage.path=${path}`],
    });
    return {
      ...peer,
      async stop() {
        await peer.stop();
        rmSync(path, { recursive: true });
      },
    };
  },
};

/** Waits until what `read` gives is at least `wanted`. */
export async function waitFor(read: () => Promise<number>, wanted: number, timeoutMs: number): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  let last = Number.NaN;
  while (Date.now() < endMs) {
    last = await read();
    if (last >= wanted) return;
    await wait(200);
  }
  throw new Error(`waited ${timeoutMs} ms for ${wanted}, there are ${last}`);
}

/** The value of an unlabelled metric of the peer's own `/metrics`. */
export async function ownMetric(peer: Peer, names: readonly string[]): Promise<number> {
  const text = await (await fetch(`${peer.url}/metrics`)).text();
  const value = new RegExp(`^(?:${names.join('|')}) (\\S+)$`, 'm').exec(text)?.[1];
  return value === undefined ? Number.NaN : Number(value);
}

export function exemplarsHeld(peer: Peer): Promise<number> {
  return ownMetric(peer, ['prometheus_tsdb_exemplar_exemplars_in_storage', 'exemplard_exemplars']);
}

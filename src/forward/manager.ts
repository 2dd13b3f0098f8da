import { isDeepStrictEqual } from 'node:util';
import type { BatchLog, BatchReader } from '../model/batch.js';
import type { Clock } from '../util/clock.js';
import type { Log } from '../util/log.js';
import { createForwarder, type Forwarder, type ForwarderStatus } from './forwarder.js';
import type { RemoteWriteMetrics } from './metrics.js';
import type { RemoteWriteOptions } from './options.js';

export interface ForwardParts {
  readonly batches: BatchLog;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: RemoteWriteMetrics;
  readonly userAgent: string;
}

interface Running {
  readonly options: RemoteWriteOptions;
  readonly forwarder: Forwarder;
  readonly reader: BatchReader;
}

/** All remote writes. */
export class ForwardManager {
  readonly #parts: ForwardParts;
  #running = new Map<string, Running>();
  /** Changes are applied one after the other. */
  #applying: Promise<void> = Promise.resolve();

  constructor(parts: ForwardParts) {
    this.#parts = parts;
  }

  /**
   * Sends what all remote writes hold, until the deadline, and ends. Their last figures stay on `/metrics`.
   */
  stop(deadlineMs: number): Promise<void> {
    const stopAll = async () => {
      await Promise.all([...this.#running.values()].map(({ forwarder }) => forwarder.stop(deadlineMs)));
    };
    this.#applying = this.#applying.then(stopAll);
    return this.#applying;
  }

  /**
   * Makes the running remote writes those given. One whose options did not change goes on untouched; one that
   * did, or is gone, first sends what it holds, until the deadline.
   */
  apply(remoteWrites: readonly RemoteWriteOptions[], deadlineMs: number): Promise<void> {
    this.#applying = this.#applying.then(() => this.#replace(remoteWrites, deadlineMs));
    return this.#applying;
  }

  statuses(): ForwarderStatus[] {
    return [...this.#running.values()].map(({ forwarder }) => forwarder.status());
  }

  async #replace(remoteWrites: readonly RemoteWriteOptions[], deadlineMs: number): Promise<void> {
    const wanted = remoteWrites.filter((options) => options.sendExemplars);
    const next = new Map(wanted.map((options) => [options.name, options]));
    const gone = [...this.#running.values()].filter(
      ({ options }) => !isDeepStrictEqual(options, next.get(options.name)),
    );
    await Promise.all(gone.map((running) => this.#end(running, deadlineMs)));
    for (const options of wanted) if (!this.#running.has(options.name)) this.#begin(options);
  }

  #begin(options: RemoteWriteOptions): void {
    const { batches, ...parts } = this.#parts;
    const reader = batches.reader(options.name);
    const forwarder = createForwarder({ ...parts, options, reader });
    this.#running.set(options.name, { options, forwarder, reader });
    forwarder.start();
  }

  async #end({ options, forwarder, reader }: Running, deadlineMs: number): Promise<void> {
    await forwarder.stop(deadlineMs);
    reader.close();
    forwarder.forget();
    this.#running.delete(options.name);
  }
}

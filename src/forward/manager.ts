import { isDeepStrictEqual } from 'node:util';
import type { BatchLog, BatchReader } from '../model/batch.js';
import type { Clock } from '../util/clock.js';
import type { Log } from '../util/log.js';
import type { SettledRows } from './delivery.js';
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

/** Readers of other parts may have any other name. */
export const READER_PREFIX = 'remote_write/';

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
   * Ends all remote writes. What a durable log holds is sent after the restart; what another holds is sent now, until
   * the deadline. Their last figures stay on `/metrics`.
   */
  stop(deadlineMs: number): Promise<void> {
    const { isDurable } = this.#parts.batches;
    const stopAll = async () => {
      await Promise.all(
        [...this.#running.values()].map(({ forwarder }) =>
          isDurable ? forwarder.halt(deadlineMs) : forwarder.stop(deadlineMs),
        ),
      );
    };
    this.#applying = this.#applying.then(stopAll);
    return this.#applying;
  }

  /**
   * Makes the running remote writes those given. One whose options did not change goes on untouched. One whose did
   * goes on where it was, with the new ones. One that is gone first sends what it holds, until the deadline.
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
    const byName = new Map(wanted.map((options) => [options.name, options]));
    await Promise.all(
      [...this.#running.values()].map((running) => {
        const options = byName.get(running.options.name);
        if (options === undefined) return this.#end(running, deadlineMs);
        if (isDeepStrictEqual(options, running.options)) return undefined;
        return this.#change(running, options, deadlineMs);
      }),
    );
    for (const options of wanted) if (!this.#running.has(options.name)) this.#begin(options);
    const readers = wanted.map(({ name }) => `${READER_PREFIX}${name}`);
    this.#parts.batches.forgetReadersExcept(READER_PREFIX, new Set(readers));
  }

  #begin(options: RemoteWriteOptions): void {
    const start = options.queue.replay ? 'oldest' : 'now';
    const reader = this.#parts.batches.reader(`${READER_PREFIX}${options.name}`, start);
    this.#run(options, reader);
  }

  /** The successor is handed again what its predecessor did not get confirmed, and leaves out what that has settled. */
  async #change(running: Running, options: RemoteWriteOptions, deadlineMs: number): Promise<void> {
    const { forwarder, reader } = running;
    const settledBefore = await forwarder.halt(deadlineMs);
    reader.rewind();
    const { url } = forwarder.status();
    this.#run(options, reader, settledBefore);
    // With the same name and URL it counts on where the other stopped.
    if (this.#running.get(options.name)?.forwarder.status().url !== url) forwarder.forget();
  }

  #run(options: RemoteWriteOptions, reader: BatchReader, settledBefore: SettledRows = new Map()): void {
    const { batches: _, ...parts } = this.#parts;
    const forwarder = createForwarder({ ...parts, options, reader, settledBefore });
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

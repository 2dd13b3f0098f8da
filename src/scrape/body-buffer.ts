import { viewOf } from '../util/bytes.js';

/** Where one body is gathered. Used again for body after body, so it soon has the right size. */
export class BodyBuffer {
  bytes: Buffer = Buffer.alloc(64 * 1024);
  view = viewOf(this.bytes);
  length = 0;

  append(chunk: Uint8Array): void {
    const length = this.length + chunk.length;
    if (length > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, this.bytes.length * 2));
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
      this.view = viewOf(larger);
    }
    this.bytes.set(chunk, this.length);
    this.length = length;
  }

  /** Takes `bytes` as the body, and as its own memory from now on. */
  adopt(bytes: Buffer): void {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.length = bytes.length;
  }
}

/** Bodies in flight are few even with thousands of targets: what one scrape gives back serves the next. */
export class BodyBufferPool {
  readonly #idle: BodyBuffer[] = [];
  #idleBytes = 0;
  readonly #maxIdleBytes: number;

  constructor(maxIdleBytes = 32 * 1024 * 1024) {
    this.#maxIdleBytes = maxIdleBytes;
  }

  take(): BodyBuffer {
    const buffer = this.#idle.pop();
    if (buffer === undefined) return new BodyBuffer();
    this.#idleBytes -= buffer.bytes.length;
    buffer.length = 0;
    return buffer;
  }

  give(buffer: BodyBuffer): void {
    if (this.#idleBytes + buffer.bytes.length > this.#maxIdleBytes) return;
    this.#idle.push(buffer);
    this.#idleBytes += buffer.bytes.length;
  }
}

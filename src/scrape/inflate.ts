import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import type { BodyBuffer } from './body-buffer.js';
import { ScrapeFailure } from './failure.js';

/** Inflated on the spot, in some milliseconds; what is larger goes to another thread, which costs more in all. */
const MAX_SYNC_BYTES = 8 * 1024 * 1024;

const gunzipInThread = promisify(gunzip);

/**
 * Replaces a gzipped body by what it inflates to.
 * @throws {ScrapeFailure} when it is no gzip, or as large as `maxBytes`
 */
export async function inflate(body: BodyBuffer, maxBytes: number): Promise<void> {
  const gzipped = body.bytes.subarray(0, body.length);
  try {
    body.adopt(
      inflateSmall(gzipped, maxBytes) ?? (await gunzipInThread(gzipped, { maxOutputLength: maxBytes - 1 })),
    );
  } catch (error) {
    if (isTooLarge(error)) throw tooLarge(maxBytes);
    throw new ScrapeFailure('encoding', `gzip: ${(error as Error).message}`, {
      kind: 'gzip',
      error: error as Error,
    });
  }
}

export function tooLarge(maxBytes: number): ScrapeFailure {
  return new ScrapeFailure('body_size', `body size limit exceeded (${maxBytes} bytes)`, {
    kind: 'size',
    maxBytes,
  });
}

/** @returns undefined when it is not small */
function inflateSmall(gzipped: Buffer, maxBytes: number): Buffer | undefined {
  // The last four bytes say how long the text is. They may lie, so they only choose the way.
  const length = gzipped.length < 4 ? 0 : gzipped.readUInt32LE(gzipped.length - 4);
  if (length > MAX_SYNC_BYTES) return undefined;
  const maxOutputLength = Math.min(maxBytes - 1, MAX_SYNC_BYTES);
  try {
    return gunzipSync(gzipped, { maxOutputLength, chunkSize: Math.max(1024, length + 1) });
  } catch (error) {
    if (isTooLarge(error) && maxOutputLength < maxBytes - 1) return undefined;
    throw error;
  }
}

function isTooLarge(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
}

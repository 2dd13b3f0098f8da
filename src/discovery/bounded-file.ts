import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Not to wait for whoever may write into a pipe. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * @returns undefined when there is no such file
 * @throws Error for what is no regular file, is larger than `maxBytes`, or cannot be read
 */
export async function readBoundedFile(path: string, maxBytes: number): Promise<Buffer | undefined> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, FLAGS);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new Error('it is no regular file');
    const chunks: Buffer[] = [];
    let length = 0;
    for (let size = Math.min(stat.size, maxBytes) + 1; ; size = 64 * 1024) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(size), 0, size);
      if (bytesRead === 0) return Buffer.concat(chunks, length);
      if ((length += bytesRead) > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
      chunks.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

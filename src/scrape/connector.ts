import type { Socket } from 'node:net';
import { buildConnector } from 'undici';

/** What one call reads at most: a body of megabytes in a few calls. */
const READ_BYTES = 1024 * 1024;

/**
 * Connections that are all read into one buffer. Otherwise Node.js allocates 64 KiB for every read: measured with
 * 2.2 MB bodies, half the cost of receiving them. It works because undici is done with a chunk when its listener
 * returns, and so must be whoever undici hands it on to: copy what is kept.
 *
 * TLS connections are decrypted into buffers of their own, and stay as they are.
 */
export function createConnector(): buildConnector.connector {
  const onread = {
    buffer: Buffer.allocUnsafeSlow(READ_BYTES),
    callback(this: Socket, length: number, buffer: Uint8Array): boolean {
      handOver(this, Buffer.from(buffer.buffer, buffer.byteOffset, length));
      return true;
    },
  };
  const options = { timeout: 0, onread } as unknown as buildConnector.BuildOptions;
  const connectPlain = buildConnector(options);
  const connectTls = buildConnector({ timeout: 0 });
  return (target, callback) => (target.protocol === 'https:' ? connectTls : connectPlain)(target, callback);
}

/** undici asks for what has arrived by `read()` when told that the socket is readable. */
function handOver(socket: Socket, chunk: Buffer): void {
  let waiting: Buffer | null = chunk;
  const takeChunk = () => {
    const taken = waiting;
    waiting = null;
    return taken;
  };
  Object.defineProperty(socket, 'read', { value: takeChunk, configurable: true });
  socket.emit('readable');
  Reflect.deleteProperty(socket, 'read');
  // Nobody was listening: it waits as any other data does.
  if (waiting !== null) socket.push(Buffer.from(waiting));
}

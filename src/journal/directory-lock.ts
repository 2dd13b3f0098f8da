/**
 * One process a directory: a socket in it, on which the process listens as long as it lives. The system closes it
 * with the process, however that ends, so nobody has to guess whether what is left behind is still alive; and it
 * is found by whoever sees the directory, from another container or process namespace too (of the same machine).
 */
import { lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** The shortest of the systems' limits on the path of a socket (macOS; Linux has 107). */
const MAX_SOCKET_PATH_BYTES = 103;
/** Two processes that find the same dead socket both replace it; by then, the second has. */
const SETTLE_MS = 50;

export class DirectoryLock {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws Error when another process has the directory, or a socket cannot be made there */
  static async take(directory: string): Promise<DirectoryLock> {
    const path = join(directory, 'lock');
    const address = socketAddress(path);
    await refuseIfHeld(directory, address);
    await unlink(path).catch(ignoreMissing);
    const server = await listen(address, directory);
    const ours = await lstat(path, { bigint: true });
    await wait(SETTLE_MS);
    const now = await lstat(path, { bigint: true }).catch(() => undefined);
    if (now?.ino !== ours.ino) {
      server.close();
      throw inUse(directory, 'another process that started at the same moment');
    }
    return new DirectoryLock(server);
  }

  /** The socket goes with it. */
  release(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}

/** The path as a socket can have it: from here, if that is shorter. */
function socketAddress(path: string): string {
  const fromHere = relative(process.cwd(), path);
  const address = fromHere.length < path.length ? fromHere : path;
  if (Buffer.byteLength(address) > MAX_SOCKET_PATH_BYTES) {
    throw new Error(
      `the storage path is too long for a lock in it: ${path}; start from a directory nearer to it`,
    );
  }
  return address;
}

async function refuseIfHeld(directory: string, address: string): Promise<void> {
  const owner = await askOwner(address);
  if (owner !== undefined) throw inUse(directory, owner);
}

/** @returns who holds the lock; undefined when nobody does */
function askOwner(address: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    let answer = '';
    socket.setEncoding('utf8');
    socket.setTimeout(1_000, () => {
      // Stopped or overloaded, but there.
      socket.destroy();
      resolve('another process');
    });
    socket.on('data', (text: string) => {
      answer += text;
    });
    socket.on('end', () => resolve(answer === '' ? 'another process' : answer));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined);
      else reject(new Error(`the lock of the storage path cannot be asked: ${error.message}`));
    });
  });
}

function listen(address: string, directory: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(`process ${process.pid}`);
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE')
        reject(inUse(directory, 'another process that started at the same moment'));
      else reject(new Error(`the storage path ${directory} cannot be locked: ${error.message}`));
    });
    server.listen(address, () => {
      // Held until released, but no reason for the process to stay.
      server.unref();
      resolve(server);
    });
  });
}

function inUse(directory: string, owner: string): Error {
  return new Error(`the storage path ${directory} is in use by ${owner}`);
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

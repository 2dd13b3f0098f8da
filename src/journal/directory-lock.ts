/**
 * One process a directory: a socket in it, `lock`, on which the process listens as long as it lives. The system
 * closes it with the process, however that ends, so nobody has to guess whether what is left behind is still alive;
 * and it is found by whoever sees the directory, from another container or process namespace too (of the same
 * machine).
 *
 * The socket is made under a name of its own and then linked, which fails where somebody else was first.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, lstat, open, rename, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { basename, dirname, join, relative } from 'node:path';

/** The shortest of the systems' limits on the path of a socket (macOS; Linux has 107). */
const MAX_SOCKET_PATH_BYTES = 103;
/** Who does not answer for so long is stopped or overloaded, but there. */
const ANSWER_MS = 1_000;
const SOMEBODY = 'another process';

export class DirectoryLock {
  readonly #server: Server;
  readonly #path: string;

  private constructor(server: Server, path: string) {
    this.#server = server;
    this.#path = path;
  }

  /** @throws Error when another process has the directory, or a socket cannot be made there */
  static async take(directory: string): Promise<DirectoryLock> {
    const path = join(directory, 'lock');
    await removeDead(directory, path);
    const ownPath = `${path}.${randomBytes(4).toString('hex')}`;
    const server = await withAddress(ownPath, (address) => listen(directory, address));
    try {
      await link(ownPath, path);
      return new DirectoryLock(server, path);
    } catch (error) {
      server.close();
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw inUse(directory, SOMEBODY);
      throw cannotLock(directory, error as Error);
    } finally {
      await unlink(ownPath).catch(() => {});
    }
  }

  async release(): Promise<void> {
    await unlink(this.#path).catch(() => {});
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}

/** Takes away a socket on which nobody listens any more. */
async function removeDead(directory: string, path: string): Promise<void> {
  const found = await lstat(path, { bigint: true }).catch(() => undefined);
  if (found === undefined) return;
  const owner = await withAddress(path, (address) => askOwner(directory, address));
  if (owner !== undefined) throw inUse(directory, owner);
  const aside = `${path}.${randomBytes(4).toString('hex')}`;
  await rename(path, aside).catch(ignoreMissing);
  const moved = await lstat(aside, { bigint: true }).catch(() => undefined);
  if (moved !== undefined && moved.ino !== found.ino) {
    // Somebody else has replaced the dead one meanwhile, and is alive.
    await link(aside, path).catch(() => {});
    await unlink(aside);
    throw inUse(directory, SOMEBODY);
  }
  await unlink(aside).catch(ignoreMissing);
}

/** @returns who listens; undefined when nobody does */
function askOwner(directory: string, address: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    let answer = '';
    socket.setEncoding('utf8');
    socket.setTimeout(ANSWER_MS, () => {
      socket.destroy();
      resolve(SOMEBODY);
    });
    socket.on('data', (text: string) => {
      answer += text;
    });
    socket.on('end', () => resolve(answer === '' ? SOMEBODY : answer));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined);
      else reject(cannotLock(directory, error));
    });
  });
}

function listen(directory: string, address: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(`process ${process.pid}`);
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(cannotLock(directory, error)));
    server.listen(address, () => {
      // Held until released, but no reason for the process to stay.
      server.unref();
      resolve(server);
    });
  });
}

/** Calls `use` with the path as a socket can have it: from here if that is shorter, or by a descriptor of its directory. */
async function withAddress<T>(path: string, use: (address: string) => Promise<T>): Promise<T> {
  const fromHere = relative(process.cwd(), path);
  const address = fromHere.length < path.length ? fromHere : path;
  if (Buffer.byteLength(address) <= MAX_SOCKET_PATH_BYTES) return use(address);
  if (!existsSync('/proc/self/fd')) {
    throw new Error(
      `the storage path is too long for a lock in it: ${path}; start from a directory nearer to it`,
    );
  }
  const directory = await open(dirname(path), 'r');
  try {
    return await use(`/proc/self/fd/${directory.fd}/${basename(path)}`);
  } finally {
    await directory.close();
  }
}

function inUse(directory: string, owner: string): Error {
  return new Error(
    `the storage path ${directory} is in use by ${owner} (the file "lock" in it is no leftover)`,
  );
}

function cannotLock(directory: string, { message }: Error): Error {
  return new Error(`the storage path ${directory} cannot be locked: ${message}`);
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

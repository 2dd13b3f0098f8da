import { constants } from 'node:fs';
import { access, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile, syncDirectory } from './atomic-file.js';
import { DirectoryLock } from './directory-lock.js';
import { FORMAT_VERSION, NewerFormat } from './segment.js';

/** The directory of `--storage.path`: made if need be, known to be ours to read, and held by this process alone. */
export class StorageDirectory {
  readonly path: string;
  readonly #lock: DirectoryLock;

  private constructor(path: string, lock: DirectoryLock) {
    this.path = path;
    this.#lock = lock;
  }

  /** @throws Error with the reason why the directory cannot be used; then nothing in it has changed */
  static async open(path: string): Promise<StorageDirectory> {
    await makeDirectory(path);
    const formatPath = join(path, 'format');
    const version = await readFormat(formatPath);
    if (version !== undefined && version > FORMAT_VERSION) throw new NewerFormat(path, version);
    const lock = await DirectoryLock.take(path);
    if (version === undefined) await writeFormat(path, formatPath);
    return new StorageDirectory(path, lock);
  }

  close(): Promise<void> {
    return this.#lock.release();
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EEXIST' ? 'it is not a directory' : message;
    throw new Error(`the storage path ${path} cannot be used: ${reason}`);
  }
}

async function readFormat(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  // Empty: the machine stopped while it was written for the first time.
  if (text === undefined || text === '') return undefined;
  const version = Number(text);
  if (Number.isSafeInteger(version) && version > 0) return version;
  throw new Error(`${path} does not hold a format version: is this the storage path of exemplard?`);
}

/** A full disk is no reason not to start: the version is written the next time. */
async function writeFormat(directory: string, path: string): Promise<void> {
  try {
    await replaceFile(path, async (file) => {
      await file.writeFile(`${FORMAT_VERSION}\n`);
    });
    await syncDirectory(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

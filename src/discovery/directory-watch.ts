import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Path → device and inode: a directory made anew at the same place is another one. */
type Identities = ReadonlyMap<string, string>;

/** Directories that come and go all the time are found at the interval. */
const MAX_ROUNDS = 5;

interface Watched {
  readonly identity: string;
  readonly watcher: FSWatcher;
}

/**
 * Watches directories for anything that happens in them. In the place of one that is not there, the nearest above
 * it is watched, until it comes.
 */
export class DirectoryWatch {
  readonly #onEvent: () => void;
  readonly #onError: (error: Error) => void;
  /** By path of the directory that is watched. */
  readonly #watched = new Map<string, Watched>();
  #isClosed = false;

  /** @param onError a directory cannot be watched, for example because the system allows no more watches */
  constructor(onEvent: () => void, onError: (error: Error) => void) {
    this.#onEvent = onEvent;
    this.#onError = onError;
  }

  /** Sees that these directories are watched as they are now: to be called again after every event. */
  async follow(directories: readonly string[]): Promise<void> {
    let found = await nearestExisting(directories);
    for (let i = 0; i < MAX_ROUNDS; i++) {
      this.#watchThese(found);
      // What was made before it was watched made no event.
      const now = await nearestExisting(directories);
      if (isSame(found, now)) return;
      found = now;
    }
  }

  #watchThese(found: Identities): void {
    if (this.#isClosed) return;
    for (const [path, { identity, watcher }] of this.#watched) {
      if (found.get(path) === identity) continue;
      watcher.close();
      this.#watched.delete(path);
    }
    for (const [path, identity] of found) if (!this.#watched.has(path)) this.#add(path, identity);
  }

  close(): void {
    this.#isClosed = true;
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  #add(path: string, identity: string): void {
    try {
      const watcher = watch(path, { persistent: false }, this.#onEvent);
      watcher.on('error', (error) => {
        watcher.close();
        if (this.#watched.get(path)?.watcher === watcher) this.#watched.delete(path);
        if (!this.#isClosed) this.#onError(error as Error);
      });
      this.#watched.set(path, { identity, watcher });
    } catch (error) {
      this.#onError(error as Error);
    }
  }
}

async function nearestExisting(directories: readonly string[]): Promise<Identities> {
  const found = new Map<string, string>();
  for (const directory of directories) {
    for (let path = directory; ; path = dirname(path)) {
      try {
        const { dev, ino } = await stat(path, { bigint: true });
        found.set(path, `${dev}:${ino}`);
        break;
      } catch {
        if (path === dirname(path)) break;
      }
    }
  }
  return found;
}

function isSame(a: Identities, b: Identities): boolean {
  return a.size === b.size && [...a].every(([path, identity]) => b.get(path) === identity);
}

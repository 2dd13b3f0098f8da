import { renameSync, writeFileSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { replaceFile } from './atomic-file.js';
import type { Place } from './segment.js';

/**
 * How far each reader has come, by name, in `readers.json`: the place of the first batch it has not confirmed. The disk
 * may take its time until that file is safe; `readers.json.recent` is written without waiting for it, and says more to a
 * process that was killed meanwhile.
 */
export class ReaderPlaces {
  readonly #path: string;
  readonly #places: Map<string, Place>;
  /** The file was damaged: readers that seem to be new may not be. */
  readonly areLost: boolean;
  #saved: string;
  #synced: string;
  #syncing: Promise<void> | undefined;
  /** Of the last attempt, until somebody was told. */
  #syncError: Error | undefined;

  private constructor(path: string, places: Record<string, Place> | undefined, saved: string) {
    this.#path = path;
    this.#places = new Map(Object.entries(places ?? {}));
    this.areLost = places === undefined;
    this.#saved = this.#synced = saved;
  }

  /**
   * A file that is not what was written is set aside: where readers were is not known any more.
   * @throws Error when the file is there and cannot be read
   */
  static async load(path: string): Promise<ReaderPlaces> {
    const text = await readText(path);
    const places = parsePlaces(text);
    if (places === undefined) await rename(path, `${path}.damaged`);
    const recent = parsePlaces(await readText(recentPath(path)));
    return new ReaderPlaces(
      path,
      places === undefined ? nonEmpty(recent) : latest(places, recent ?? {}),
      text,
    );
  }

  get(name: string): Place | undefined {
    return this.#places.get(name);
  }

  set(name: string, place: Place): void {
    this.#places.set(name, place);
  }

  forget(name: string): void {
    this.#places.delete(name);
  }

  *entries(): Generator<readonly [name: string, place: Place]> {
    yield* this.#places;
  }

  /**
   * Writes the file before anything else happens, for a process killed in the next moment; a power failure may
   * still undo it.
   * @throws Error when the disk refuses; the next `save` tries again
   */
  saveAtOnce(): void {
    const text = this.#text;
    writeFileSync(`${this.#path}.now`, text);
    renameSync(`${this.#path}.now`, this.#path);
  }

  /**
   * Writes the places if any has changed. They are found after the process was killed.
   * @throws Error when the disk refuses; the next call tries again
   */
  async save(): Promise<void> {
    const text = this.#text;
    if (text === this.#saved) return;
    const path = recentPath(this.#path);
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
    this.#saved = text;
    this.#syncing ??= this.#sync()
      .catch((error: Error) => {
        this.#syncError = error;
      })
      .finally(() => {
        this.#syncing = undefined;
      });
    const error = this.#syncError;
    this.#syncError = undefined;
    if (error !== undefined) throw error;
  }

  /** They are found after a power failure, too. @throws Error when the disk refuses */
  async close(): Promise<void> {
    await this.#syncing;
    await this.#sync();
  }

  async #sync(): Promise<void> {
    const text = this.#text;
    if (text === this.#synced) return;
    await replaceFile(this.#path, async (file) => {
      await file.writeFile(text);
    });
    this.#synced = text;
  }

  get #text(): string {
    return `${JSON.stringify(Object.fromEntries(this.#places))}\n`;
  }
}

function parsePlaces(text: string): Record<string, Place> | undefined {
  const places = parseJson(text);
  const isPlace = (place: unknown) =>
    typeof place === 'object' &&
    place !== null &&
    Number.isSafeInteger((place as Place).position) &&
    Number.isSafeInteger((place as Place).row);
  const arePlaces = typeof places === 'object' && places !== null && Object.values(places).every(isPlace);
  return arePlaces ? (places as Record<string, Place>) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function recentPath(path: string): string {
  return `${path}.recent`;
}

/** @throws Error when the file is there and cannot be read */
function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
}

/** New readers are in the safe file at once, so one that only the other knows was given up. */
function latest(safe: Record<string, Place>, recent: Record<string, Place>): Record<string, Place> {
  const later = ([name, place]: [string, Place]): [string, Place] => {
    const other = recent[name];
    return [name, other !== undefined && other.position > place.position ? other : place];
  };
  return Object.fromEntries(Object.entries(safe).map(later));
}

/** An empty one may only mean that there is no such file. */
function nonEmpty(places: Record<string, Place> | undefined): Record<string, Place> | undefined {
  return places !== undefined && Object.keys(places).length > 0 ? places : undefined;
}

import { renameSync, writeFileSync } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { replaceFile } from './atomic-file.js';
import type { Place } from './segment.js';

/** How far each reader has come, by name, in `readers.json`: the place of the first batch it has not confirmed. */
export class ReaderPlaces {
  readonly #path: string;
  readonly #places: Map<string, Place>;
  /** The file was damaged: readers that seem to be new may not be. */
  readonly areLost: boolean;
  #saved: string;

  private constructor(path: string, places: Record<string, Place> | undefined, saved: string) {
    this.#path = path;
    this.#places = new Map(Object.entries(places ?? {}));
    this.areLost = places === undefined;
    this.#saved = saved;
  }

  /**
   * A file that is not what was written is set aside: where readers were is not known any more.
   * @throws Error when the file is there and cannot be read
   */
  static async load(path: string): Promise<ReaderPlaces> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{}';
      throw error;
    });
    const places = parsePlaces(text);
    if (places === undefined) await rename(path, `${path}.damaged`);
    return new ReaderPlaces(path, places, text);
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
   * Writes the file if anything has changed.
   * @throws Error when the disk refuses; the next call tries again
   */
  async save(): Promise<void> {
    const text = this.#text;
    if (text === this.#saved) return;
    await replaceFile(this.#path, async (file) => {
      await file.writeFile(text);
    });
    this.#saved = text;
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

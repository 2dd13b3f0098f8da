import { renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { replaceFile } from './atomic-file.js';
import type { Place } from './segment.js';

/** How far each reader has come, by name, in `readers.json`: the place of the first batch it has not confirmed. */
export class ReaderPlaces {
  readonly #path: string;
  readonly #places: Map<string, Place>;
  #saved: string;

  private constructor(path: string, places: Map<string, Place>, saved: string) {
    this.#path = path;
    this.#places = places;
    this.#saved = saved;
  }

  /** @throws Error when the file is there and cannot be read, or is not what was written */
  static async load(path: string): Promise<ReaderPlaces> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{}';
      throw error;
    });
    return new ReaderPlaces(path, new Map(Object.entries(parsePlaces(path, text))), text);
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

function parsePlaces(path: string, text: string): Record<string, Place> {
  const places: unknown = parseJson(path, text);
  const isPlace = (place: unknown) =>
    typeof place === 'object' &&
    place !== null &&
    Number.isSafeInteger((place as Place).position) &&
    Number.isSafeInteger((place as Place).row);
  if (typeof places === 'object' && places !== null && Object.values(places).every(isPlace)) {
    return places as Record<string, Place>;
  }
  throw new Error(
    `${path} does not say how far readers have come; remove it to have them start at what comes next`,
  );
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(
      `${path} is damaged (${(error as Error).message}); remove it to have readers start at what comes next`,
    );
  }
}

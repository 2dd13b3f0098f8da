import { readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Place, SEGMENT_SUFFIX, SegmentReader } from './segment.js';

export interface Segment {
  readonly path: string;
  /** Of its first batch. */
  readonly first: Place;
  readonly bytes: number;
}

/** The segments on disk, oldest first. */
export class Segments {
  readonly #all: Segment[];
  #bytes: number;

  constructor(all: readonly Segment[]) {
    this.#all = [...all];
    this.#bytes = all.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get count(): number {
    return this.#all.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get oldest(): Segment | undefined {
    return this.#all[0];
  }

  get newest(): Segment | undefined {
    return this.#all.at(-1);
  }

  /** The one that a position lies in, if in any; the newest one's end is not known here. */
  containing(position: number): Segment | undefined {
    return this.#all.findLast(({ first }) => first.position <= position);
  }

  after(segment: Segment): Segment | undefined {
    return this.#all.find(({ first }) => first.position > segment.first.position);
  }

  /** From the one that a position lies in; all when that is gone. */
  from(position: number): readonly Segment[] {
    const containing = this.containing(position);
    return this.#all.slice(containing === undefined ? 0 : this.#all.indexOf(containing));
  }

  add(segment: Segment): void {
    this.#all.push(segment);
    this.#bytes += segment.bytes;
  }

  /** The newest one is so large now. */
  growNewest(bytes: number): void {
    const newest = this.dropNewest();
    if (newest !== undefined) this.add({ ...newest, bytes });
  }

  dropNewest(): Segment | undefined {
    return this.#without(this.#all.pop());
  }

  dropOldest(): Segment | undefined {
    return this.#without(this.#all.shift());
  }

  #without(segment: Segment | undefined): Segment | undefined {
    this.#bytes -= segment?.bytes ?? 0;
    return segment;
  }
}

/**
 * The segments of a directory. One without a readable header is set aside as `….damaged`.
 * @param onDamage told of each of those
 * @throws {NewerFormat}
 * @throws Error when the directory cannot be read
 */
export async function listSegments(
  directory: string,
  onDamage: (path: string, reason: string) => void,
): Promise<Segments> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(SEGMENT_SUFFIX)).sort();
  const all: Segment[] = [];
  for (const name of names) {
    const path = join(directory, name);
    const { size } = await stat(path);
    // Made a moment before the process was killed, or on a full disk.
    if (size === 0) {
      await unlink(path);
      continue;
    }
    const reader = await SegmentReader.open(path, neverResolved);
    await reader.close();
    if (reader.damage === undefined) {
      all.push({ path, first: reader.next, bytes: size });
    } else {
      onDamage(path, reader.damage);
      await rename(path, `${path}.damaged`);
    }
  }
  return new Segments(all);
}

/** For readers that make no batches. */
export function neverResolved(): never {
  throw new Error('this reader makes no batches');
}

/** JSONEachRow as it comes: bytes of any length, cut anywhere. */

const NEWLINE = 0x0a;

/** What is parsed at once: a page of this size takes JSON.parse about a millisecond or two. */
export const PAGE_BYTES = 256 * 1024;

/** Cuts a text of whole lines into pages of whole lines, each near `PAGE_BYTES`, but never less than one line. */
export function* pagesOf(lines: Buffer): Generator<Buffer> {
  let start = 0;
  while (start < lines.length) {
    const end = endOfPage(lines, start);
    yield lines.subarray(start, end);
    start = end;
  }
}

function endOfPage(lines: Buffer, start: number): number {
  if (lines.length - start <= PAGE_BYTES) return lines.length;
  const last = lines.lastIndexOf(NEWLINE, start + PAGE_BYTES - 1);
  if (last >= start) return last + 1;
  const next = lines.indexOf(NEWLINE, start + PAGE_BYTES);
  return next < 0 ? lines.length : next + 1;
}

/** Rows of a page. Line breaks within values are escaped, so each that there is stands between two rows. */
export function parseLines<Row>(page: Buffer): Row[] {
  const text = page.toString('utf8').trimEnd();
  return JSON.parse(`[${text.replaceAll('\n', ',')}]`) as Row[];
}

/** Puts lines together that chunks have cut. */
export class LineJoiner {
  #rest: Buffer[] = [];

  /** @returns the whole lines that there are now; may be empty */
  push(chunk: Buffer): Buffer {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      this.#rest.push(chunk);
      return chunk.subarray(0, 0);
    }
    const whole =
      this.#rest.length === 0
        ? chunk.subarray(0, end)
        : Buffer.concat([...this.#rest, chunk.subarray(0, end)]);
    this.#rest = end === chunk.length ? [] : [chunk.subarray(end)];
    return whole;
  }

  /** What came after the last line's end. */
  get rest(): Buffer {
    return Buffer.concat(this.#rest);
  }
}

import { isExemplarStart } from '../exposition/exemplar-text.js';
import { seriesEnd } from '../exposition/sample-line.js';

const NEWLINE = 0x0a;
const HASH = 0x23;

export interface Repeats {
  /** Exemplars of the later body. */
  readonly exemplars: number;
  /** Of them, those that stood on the same series before, byte for byte. */
  readonly repeated: number;
}

/** How many exemplars of an endpoint's later answer are only what it showed before. */
export function repeatsBetween(before: Buffer, after: Buffer): Repeats {
  const known = new Set<string>();
  forEachExemplarLine(before, (line) => known.add(line));
  let exemplars = 0;
  let repeated = 0;
  forEachExemplarLine(after, (line) => {
    exemplars++;
    if (known.has(line)) repeated++;
  });
  return { exemplars, repeated };
}

/** @param take is given series and exemplars, without the value of the sample */
function forEachExemplarLine(body: Buffer, take: (line: string) => void): void {
  for (let at = 0; at < body.length; ) {
    const newline = body.indexOf(NEWLINE, at);
    const end = newline < 0 ? body.length : newline;
    const exemplarAt = body[at] === HASH ? -1 : exemplarStart(body, seriesEnd(body, at, end), end);
    if (exemplarAt >= 0) {
      const series = body.toString('utf8', at, seriesEnd(body, at, end));
      take(`${series}${body.toString('utf8', exemplarAt, end)}`);
    }
    at = end + 1;
  }
}

function exemplarStart(body: Buffer, from: number, end: number): number {
  if (from < 0) return -1;
  for (let at = from; at + 3 < end; at++) if (isExemplarStart(body, at)) return at;
  return -1;
}

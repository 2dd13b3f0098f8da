import { ExemplarText, isExemplarStart } from '../exposition/exemplar-text.js';
import { SampleText, seriesEnd } from '../exposition/sample-line.js';
import { MAX_EXEMPLAR_CODE_POINTS } from '../model/exemplar.js';
import { MAX_FUTURE_MS } from './exemplar-tally.js';

const NEWLINE = 0x0a;
const HASH = 0x23;

export interface Repeats {
  /** Exemplars of the later body that are taken in. */
  readonly exemplars: number;
  /** Of them, those that stood on the same series before, byte for byte. */
  readonly repeated: number;
}

/** How many exemplars of an endpoint's later answer are only what it showed before. */
export function repeatsBetween(before: Buffer, after: Buffer, nowMs: number): Repeats {
  const known = new Set<string>();
  forEachAccepted(before, nowMs, (exemplar) => known.add(exemplar));
  let exemplars = 0;
  let repeated = 0;
  forEachAccepted(after, nowMs, (exemplar) => {
    exemplars++;
    if (known.has(exemplar)) repeated++;
  });
  return { exemplars, repeated };
}

/** @param take is given series and exemplar, without the value of the sample */
function forEachAccepted(body: Buffer, nowMs: number, take: (exemplar: string) => void): void {
  const sample = new SampleText();
  const exemplar = new ExemplarText();
  const isAccepted = () =>
    exemplar.labelsLength > 0 &&
    exemplar.codePoints <= MAX_EXEMPLAR_CODE_POINTS &&
    !(exemplar.hasOwnTimestamp && exemplar.timestampMs > nowMs + MAX_FUTURE_MS);
  for (let at = 0; at < body.length; ) {
    const newline = body.indexOf(NEWLINE, at);
    const end = newline < 0 ? body.length : newline;
    const seriesTo = body[at] === HASH ? -1 : seriesEnd(body, at, end);
    // Behind the sample ` # {` starts, behind each exemplar another one may.
    let from = seriesTo < 0 ? -1 : sample.parse(body, seriesTo, end);
    while (from >= 0 && from < end && isExemplarStart(body, from)) {
      const exemplarEnd = exemplar.parse(body, from + 3, end);
      if (exemplarEnd >= 0 && isAccepted())
        take(`${body.toString('utf8', at, seriesTo)}${body.toString('utf8', from, exemplarEnd)}`);
      from = exemplarEnd;
    }
    at = end + 1;
  }
}

/**
 * Label sets as bytes: `name 0xFF value 0xFF name 0xFF value 0xFF …`, in the order of a label set.
 * 0xFF occurs in no UTF-8 text, so nothing needs escaping, equal sets have equal bytes, and comparing bytes
 * compares label sets. This is the form between the scan, the rings, batches and (on disk) the journal.
 */
import { hashBytes, viewOf } from '../util/bytes.js';
import { type Labels, NO_LABELS } from './labels.js';

export const LABEL_SEPARATOR = 0xff;

/** Where the text that begins at `start` ends. A loop, because a native call costs more than an id is long. */
export function textEnd(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== LABEL_SEPARATOR) at++;
  return at;
}

/** Decodes `bytes[start, end)`. */
export function decodeLabels(bytes: Buffer, start = 0, end = bytes.length): Labels {
  if (start === end) return NO_LABELS;
  const labels: string[] = [];
  for (let from = start; from < end; ) {
    const to = bytes.indexOf(LABEL_SEPARATOR, from);
    labels.push(bytes.toString('utf8', from, to));
    from = to + 1;
  }
  return labels;
}

const ASCII = /^[\0-\x7f]*$/;

/** Ten times as fast where all is ASCII, as it nearly always is: there a character is a byte. */
export function encodeLabels(labels: Labels): Buffer {
  if (labels.length > 0 && ASCII.test(labels.join(''))) {
    return Buffer.from(`${labels.join('\xff')}\xff`, 'latin1');
  }
  const separator = Buffer.of(LABEL_SEPARATOR);
  return Buffer.concat(labels.flatMap((text) => [Buffer.from(text, 'utf8'), separator]));
}

/** The same for the same label set, in every process. 31 bits: what V8 keeps in a word, also as the key of a map. */
export function hashLabels(labels: Labels): number {
  const bytes = encodeLabels(labels);
  return hashBytes(viewOf(bytes), 0, bytes.length) >>> 1;
}

/**
 * What no receiver takes, found before it costs a request. The rules are the strictest of the receivers we know:
 * Mimir and Cortex refuse an exemplar without a filled label, without timestamp or over 128 code points (Cortex the
 * whole series with it), Go's protobuf text that is not UTF-8, Prometheus one too far in the future.
 *
 * NaN is a legal value of an exemplar and Prometheus stores it, so it is sent; it still leads to a trace.
 */
import { isUtf8 } from 'node:buffer';
import { type Batch, labelsStartOf } from '../model/batch.js';
import { LABEL_SEPARATOR, textEnd } from '../model/encoded-labels.js';
import { MAX_EXEMPLAR_CODE_POINTS } from '../model/exemplar.js';

/** Prometheus' allowance for clocks that differ. */
export const MAX_FUTURE_MS = 10 * 60_000;

export const INVALID_REASONS = ['blank', 'zero_timestamp', 'too_long', 'invalid_utf8', 'future'] as const;
export type InvalidReason = (typeof INVALID_REASONS)[number];

/** Labels to send instead of the exemplar's own. */
export interface FittedLabels {
  readonly bytes: Buffer;
  /** Whether more than empty labels had to go. */
  readonly isTrimmed: boolean;
}

/** Why row `index` must not be sent, or the labels it may be sent with; undefined when it may be sent as it is. */
export function fit(batch: Batch, index: number, nowMs: number): InvalidReason | FittedLabels | undefined {
  const timestampMs = batch.timestampsMs[index]!;
  if (timestampMs === 0) return 'zero_timestamp';
  // What was not in the future when it was scraped is so now only if our clock has gone back.
  if (timestampMs > Math.max(nowMs, batch.acceptedMs) + MAX_FUTURE_MS) return 'future';
  const start = labelsStartOf(batch, index);
  const end = batch.labelEnds[index]!;
  return isPlain(batch.labelBytes, start, end) ? undefined : fitLabels(batch.labelBytes, start, end);
}

/** Whether it is filled labels of ASCII and not too long: one pass over the bytes settles the usual trace and span id. */
function isPlain(bytes: Buffer, start: number, end: number): boolean {
  let textStart = start;
  let texts = 0;
  let allBits = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte !== LABEL_SEPARATOR) {
      allBits |= byte;
    } else {
      if (at === textStart) return false;
      textStart = at + 1;
      texts++;
    }
  }
  return texts >= 2 && allBits < 0x80 && end - start - texts <= MAX_EXEMPLAR_CODE_POINTS;
}

interface Label {
  readonly name: Buffer;
  readonly value: Buffer;
}

function fitLabels(bytes: Buffer, start: number, end: number): InvalidReason | FittedLabels | undefined {
  const all = [...labelsIn(bytes.subarray(start, end))];
  const filled = all.filter(({ name, value }) => name.length > 0 && value.length > 0);
  if (filled.length === 0) return 'blank';
  const readable = filled.filter(({ name, value }) => isUtf8(name) && isUtf8(value));
  if (readable.length === 0) return 'invalid_utf8';
  const short = shorten(readable);
  if (short.length === 0) return 'too_long';
  if (short.length === all.length) return undefined;
  return { bytes: joined(short), isTrimmed: short.length < filled.length };
}

function* labelsIn(bytes: Buffer): Generator<Label> {
  for (let from = 0; from < bytes.length; ) {
    const nameEnd = textEnd(bytes, from);
    const valueEnd = textEnd(bytes, nameEnd + 1);
    yield { name: bytes.subarray(from, nameEnd), value: bytes.subarray(nameEnd + 1, valueEnd) };
    from = valueEnd + 1;
  }
}

/** As clients and tracers spell them (peers 4.2). */
const ID_LABELS: ReadonlySet<string> = new Set([
  ...['trace_id', 'traceID', 'TraceID', 'traceId'],
  ...['span_id', 'spanID', 'SpanID', 'spanId'],
]);

/**
 * Leaves out labels from the end until the rest is short enough, ids last of all: an exemplar is there to lead to its
 * trace. None at all when it cannot keep them.
 */
function shorten(labels: readonly Label[]): readonly Label[] {
  const kept = [...labels];
  const isExtra = ({ name }: Label) => !ID_LABELS.has(name.toString('utf8'));
  let codePoints = kept.reduce((sum, label) => sum + codePointsOf(label), 0);
  while (codePoints > MAX_EXEMPLAR_CODE_POINTS) {
    const last = kept.findLastIndex(isExtra);
    if (last === -1) return [];
    codePoints -= codePointsOf(kept[last]!);
    kept.splice(last, 1);
  }
  return kept;
}

function codePointsOf({ name, value }: Label): number {
  return countCodePoints(name) + countCodePoints(value);
}

function countCodePoints(text: Buffer): number {
  let count = 0;
  // Continuation bytes (10xxxxxx) belong to a code point counted already.
  for (const byte of text) if ((byte & 0xc0) !== 0x80) count++;
  return count;
}

function joined(labels: readonly Label[]): Buffer {
  const separator = Buffer.of(LABEL_SEPARATOR);
  return Buffer.concat(labels.flatMap(({ name, value }) => [name, separator, value, separator]));
}

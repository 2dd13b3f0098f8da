/**
 * The scan of an OpenMetrics body for exemplars. It looks at the bytes around every `#` and at nothing else:
 * a line without an exemplar costs its share of a native search for one byte.
 */

const HASH = 0x23;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const OPEN = 0x7b;

const EOF = Buffer.from('# EOF');

/** What the scan meets, in the order of the body. */
export interface ScanVisitor {
  /**
   * ` # {` starts at `hash - 1`: an exemplar, unless these bytes stand in a label value or a comment.
   * @returns where to go on: not before `hash + 1`
   */
  exemplarAt(hash: number): number;
  /** A comment line starts here: `# TYPE`, `# HELP`, `# UNIT`, or something that must not be. */
  commentAt(hash: number): void;
}

/** Scanned between two pauses: some hundred lines, all of which may be new. */
const WINDOW_BYTES = 64 * 1024;

/**
 * Scans `body[0, length)`, in steps, between which others may have their turn.
 * @returns undefined, or what is wrong with the whole body
 */
export function* scanOpenMetrics(
  body: Buffer,
  length: number,
  visitor: ScanVisitor,
): Generator<void, string | undefined> {
  // An empty body is an empty exposition to Prometheus, not a truncated one.
  if (length === 0) return undefined;
  const eof = endOfExposition(body, length);
  if (eof < 0) return problemOfEnd(body, length);
  const stop = yield* scan(body, eof, visitor, true);
  return stop < eof ? 'unexpected data after # EOF' : undefined;
}

/** Scans `body[0, length)` as if it were OpenMetrics: the classic text format, which needs no `# EOF`. */
export function* scanExemplars(body: Buffer, length: number, visitor: ScanVisitor): Generator<void, void> {
  // What follows the last newline was perhaps cut off.
  yield* scan(body, body.lastIndexOf(NEWLINE, length - 1) + 1, visitor, false);
}

/** @returns where it stopped: at `end`, or at a `# EOF` line before it */
function* scan(
  body: Buffer,
  end: number,
  visitor: ScanVisitor,
  stopsAtEof: boolean,
): Generator<void, number> {
  let at = body.indexOf(HASH);
  while (at >= 0 && at < end) {
    const until = Math.min(end, at + WINDOW_BYTES);
    at = scanWindow(body, at, until, visitor, stopsAtEof);
    if (at >= 0 && at < until) return at;
    yield;
  }
  return end;
}

/** @returns the first `#` at or behind `until`, negative where there is none; a `# EOF` line before it */
function scanWindow(
  body: Buffer,
  from: number,
  until: number,
  visitor: ScanVisitor,
  stopsAtEof: boolean,
): number {
  let at = from;
  while (at >= 0 && at < until) {
    if (at === 0 || body[at - 1] === NEWLINE) {
      if (stopsAtEof && isEofLine(body, at)) return at;
      visitor.commentAt(at);
      at++;
    } else if (body[at - 1] === SPACE && body[at + 1] === SPACE && body[at + 2] === OPEN) {
      at = visitor.exemplarAt(at);
    } else at++;
    at = body.indexOf(HASH, at);
  }
  return at;
}

/** Lines of `body[0, length)` that are no comments: samples, where the body is sound. */
export function countSamples(body: Buffer, length: number): number {
  let count = 0;
  forEachSampleLine(body, length, () => {
    count++;
    return true;
  });
  return count;
}

/** Calls back for every line that is neither a comment nor empty, its newline left out, until `visit` returns false. */
export function forEachSampleLine(
  body: Buffer,
  length: number,
  visit: (start: number, end: number) => boolean,
): void {
  for (let at = 0; at < length; ) {
    const newline = body.indexOf(NEWLINE, at);
    const end = newline < 0 || newline > length ? length : newline;
    if (end > at && body[at] !== HASH && !visit(at, end)) return;
    at = end + 1;
  }
}

/** @returns where the closing `# EOF` starts, -1 without one */
function endOfExposition(body: Buffer, length: number): number {
  const end = body[length - 1] === NEWLINE ? length - 1 : length;
  const start = end - EOF.length;
  if (start < 0 || (start > 0 && body[start - 1] !== NEWLINE)) return -1;
  return body.compare(EOF, 0, EOF.length, start, end) === 0 ? start : -1;
}

/** Why `body[0, length)` does not end as it should. A message is worth the second search. */
function problemOfEnd(body: Buffer, length: number): string {
  const given = body.subarray(0, length);
  const eof = given.lastIndexOf('\n# EOF') + 1;
  const isLine = given.indexOf(EOF, eof) === eof;
  const after = isLine ? given.subarray(eof + EOF.length) : undefined;
  if (after?.[0] === CARRIAGE_RETURN)
    return 'data does not end with # EOF and a newline: its lines end with CRLF, not with LF alone';
  return after?.[0] === NEWLINE ? 'unexpected data after # EOF' : 'data does not end with # EOF';
}

function isEofLine(body: Buffer, at: number): boolean {
  const end = at + EOF.length;
  return body[end] === NEWLINE && body.compare(EOF, 0, EOF.length, at, end) === 0;
}

/**
 * The metric type named by a comment line at `hash`, undefined if it is no TYPE line.
 * `# TYPE <name or "quoted name"> <type>`
 */
export function typeOfComment(body: Buffer, hash: number): string | undefined {
  const end = body.indexOf(NEWLINE, hash);
  const line = body.toString('latin1', hash, end < 0 ? body.length : end);
  return line.startsWith('# TYPE ') ? line.slice(line.lastIndexOf(' ') + 1) : undefined;
}

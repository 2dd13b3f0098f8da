/** Rows of an answer over HTTP. Its status was sent before the first row: what goes wrong later stands among the rows. */
import { LineJoiner } from '../json-lines.js';
import { answeredError, unansweredError } from '../statement-error.js';

/**
 * Rows are JSON, in which a carriage return is always escaped. Servers since 25.11 put one before an error:
 * `\r\n__exception__\r\n<tag>\r\n<text>\n<length> <tag>\r\n__exception__\r\n`.
 */
const CARRIAGE_RETURN = 0x0d;
/** Rows are objects; older servers write the error as a line of text. */
const OPENING_BRACE = 0x7b;
const NEWLINE = 0x0a;

/**
 * @param chunks bytes as they come; rejects where the connection breaks
 * @throws {DatabaseError} where an error stands among the rows, or the last row is cut
 */
export async function* rowLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const joiner = new LineJoiner();
  const iterator = chunks[Symbol.asyncIterator]();
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
    const chunk = next.value;
    const mark = chunk.indexOf(CARRIAGE_RETURN);
    const lines = joiner.push(mark < 0 ? chunk : chunk.subarray(0, mark));
    if (mark >= 0) {
      if (lines.length > 0) yield lines;
      throw await errorAfter(chunk.subarray(mark), iterator);
    }
    const stranger = startOfStranger(lines);
    if (stranger > 0) yield lines.subarray(0, stranger);
    if (stranger >= 0)
      throw await errorAfter(Buffer.concat([lines.subarray(stranger), joiner.rest]), iterator);
    if (lines.length > 0) yield lines;
  }
  if (joiner.rest.length === 0) return;
  throw errorIn(joiner.rest.toString('utf8'), 'the answer ends within a row');
}

/** @returns where a line begins that is no row; -1: nowhere */
function startOfStranger(lines: Buffer): number {
  for (let at = 0; at < lines.length; ) {
    if (lines[at] !== OPENING_BRACE) return at;
    const end = lines.indexOf(NEWLINE, at);
    if (end < 0) return -1;
    at = end + 1;
  }
  return -1;
}

/** As much of an error as is read. */
const MAX_ERROR_BYTES = 64 * 1024;

async function errorAfter(start: Buffer, rest: AsyncIterator<Buffer>): Promise<Error> {
  const parts = [start];
  let length = start.length;
  try {
    while (length < MAX_ERROR_BYTES) {
      const { value, done } = await rest.next();
      if (done === true) break;
      parts.push(value);
      length += value.length;
    }
  } catch {
    // The connection may break with the statement. What was said counts.
  }
  return errorIn(Buffer.concat(parts).toString('utf8'), 'the answer has an error among its rows');
}

function errorIn(text: string, otherwise: string): Error {
  const said = /Code: \d+\..*?(?=\n\d+ \S+\r\n__exception__|$)/s.exec(text)?.[0];
  return said === undefined ? unansweredError(otherwise) : answeredError({ message: said.trim() });
}

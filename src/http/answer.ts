import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/** `{"status":"success","data":…}` around a value. */
export function sendData(reply: FastifyReply, data: unknown, warnings: readonly string[] = []): FastifyReply {
  const body = { status: 'success', data, ...(warnings.length > 0 ? { warnings } : {}) };
  return sendJson(reply, JSON.stringify(body));
}

/** As bytes: to a text Fastify would add a charset, which Prometheus does not. */
export function sendJson(reply: FastifyReply, json: string): FastifyReply {
  return reply.type('application/json').send(Buffer.from(json));
}

/** The same around JSON text that comes piece by piece. */
export function streamData(
  reply: FastifyReply,
  data: AsyncIterable<string>,
  warnings: readonly string[] = [],
): Promise<FastifyReply> {
  return streamJson(reply, around(data, warnings));
}

/** A whole answer that comes piece by piece. What goes wrong before the first is there, can still become an error's answer. */
export async function streamJson(reply: FastifyReply, body: AsyncIterable<string>): Promise<FastifyReply> {
  const pieces = body[Symbol.asyncIterator]();
  const first = await pieces.next();
  return reply.type('application/json').send(Readable.from(resumed(first, pieces), { objectMode: false }));
}

async function* resumed(
  first: IteratorResult<string>,
  pieces: AsyncIterator<string>,
): AsyncGenerator<string> {
  for (let piece = first; !piece.done; piece = await pieces.next()) yield piece.value;
}

/** The head and the first of the data in one piece, so that there is none before the data has begun well. */
async function* around(data: AsyncIterable<string>, warnings: readonly string[]): AsyncGenerator<string> {
  let head = '{"status":"success","data":';
  for await (const piece of data) {
    yield head + piece;
    head = '';
  }
  yield `${warningsJson(warnings)}}`;
}

/** What follows the data: nothing, or `,"warnings":[…]`. */
export function warningsJson(warnings: readonly string[]): string {
  return warnings.length === 0 ? '' : `,"warnings":${JSON.stringify(warnings)}`;
}

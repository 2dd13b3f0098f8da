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
): FastifyReply {
  return streamJson(reply, around(data, warnings));
}

/** A whole answer that comes piece by piece. */
export function streamJson(reply: FastifyReply, body: AsyncIterable<string>): FastifyReply {
  return reply.type('application/json').send(Readable.from(body, { objectMode: false }));
}

async function* around(data: AsyncIterable<string>, warnings: readonly string[]): AsyncGenerator<string> {
  yield '{"status":"success","data":';
  yield* data;
  yield `${warningsJson(warnings)}}`;
}

/** What follows the data: nothing, or `,"warnings":[…]`. */
export function warningsJson(warnings: readonly string[]): string {
  return warnings.length === 0 ? '' : `,"warnings":${JSON.stringify(warnings)}`;
}

/** Server-sent events, as the HTML standard defines them. */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';

export function wantsEvents({ headers }: FastifyRequest): boolean {
  return /(^|,)\s*text\/event-stream\b/i.test(headers.accept ?? '');
}

/** Sends the text that `events` makes until the client has gone. */
export function sendEvents(
  reply: FastifyReply,
  events: (gone: AbortSignal) => AsyncIterable<string>,
): FastifyReply {
  const gone = new AbortController();
  reply.raw.on('close', () => gone.abort());
  return reply
    .header('cache-control', 'no-store')
    .header('x-accel-buffering', 'no')
    .type('text/event-stream')
    .send(Readable.from(events(gone.signal), { objectMode: false }));
}

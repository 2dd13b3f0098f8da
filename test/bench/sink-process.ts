/**
 * The receiving side of the forwarding benchmark, a process of its own: a remote write 1.0 receiver that counts.
 * `GET /received`: what it got so far. `PUT /up` and `PUT /down`: whether it answers 204 or 503.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import protobuf from 'protobufjs';
import snappy from 'snappyjs';

const received = { requests: 0, samples: 0, exemplars: 0 };
let isUp = true;

const server = createServer(async (request, response) => {
  if (request.url === '/received') response.end(JSON.stringify(received));
  else if (request.method === 'PUT') {
    isUp = request.url === '/up';
    response.end();
  } else {
    const body = await bodyOf(request);
    if (isUp) count(body);
    response.writeHead(isUp ? 204 : 503).end();
  }
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Field 1 of a request is a series; of a series, 2 is a sample and 3 an exemplar. No more is looked at, to be quick. */
function count(body: Buffer): void {
  received.requests++;
  const request = protobuf.Reader.create(snappy.uncompress(body));
  while (request.pos < request.len) {
    const tag = request.uint32();
    if (tag >>> 3 === 1) countSeries(request, request.uint32() + request.pos);
    else request.skipType(tag & 7);
  }
}

function countSeries(request: protobuf.Reader, end: number): void {
  while (request.pos < end) {
    const tag = request.uint32();
    if (tag >>> 3 === 2) received.samples++;
    if (tag >>> 3 === 3) received.exemplars++;
    request.skipType(tag & 7);
  }
}

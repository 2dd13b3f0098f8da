import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import protobuf from 'protobufjs';
import snappy from 'snappyjs';
import { decodeRequestV2 } from './remote-write-v2.js';

const proto = readFileSync(new URL('../../proto/remote-write-v1.proto', import.meta.url), 'utf8');
const writeRequest = protobuf.parse(proto).root.lookupType('prometheus.WriteRequest');

export interface ReceivedExemplar {
  readonly labels: Record<string, string>;
  readonly value: number;
  readonly timestamp: number;
}

export interface ReceivedSeries {
  /** `name=value` joined by commas, in the order they came. */
  readonly key: string;
  readonly labels: Record<string, string>;
  readonly samples: { readonly value: number; readonly timestamp: number }[];
  readonly exemplars: ReceivedExemplar[];
  /** What only remote write 2.0 carries. */
  readonly v2?: {
    readonly sampleBits: readonly bigint[];
    readonly starts: readonly number[];
    readonly type: string;
    readonly help: string;
    readonly unit: string;
  };
}

export interface ReceivedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly series: ReceivedSeries[];
  /** Without compression. */
  readonly message: Buffer;
}

/** What to answer. `hang`: nothing, ever; `hang_body`: a body that never ends; `close`: no answer; `close_body`: half a body. */
export type Reply =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | 'hang'
  | 'hang_body'
  | 'close'
  | 'close_body';

export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly requests: ReceivedRequest[];
  /** Requests answered with 2xx. */
  readonly accepted: ReceivedRequest[];
  /** Rules of remote write that were broken, in order. */
  readonly problems: string[];
  /** Decides each answer; 204 unless set. */
  reply: (request: ReceivedRequest, index: number) => Reply | Promise<Reply>;
  close(): Promise<void>;
}

/** @param port by default any that is free */
export async function startReceiver(host = '127.0.0.1', wantedPort = 0): Promise<Receiver> {
  const sockets = new Set<Socket>();
  const onTheirWay = new Set<string>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    const onEnd = async () => {
      const received = receive(request, Buffer.concat(chunks), receiver.problems);
      const keys = received.series.map(({ key }) => key);
      for (const key of keys) if (onTheirWay.has(key)) receiver.problems.push(`${key}: two requests at once`);
      for (const key of keys) onTheirWay.add(key);
      // One that is broken off was answered with that.
      const leave = () => {
        for (const key of keys) onTheirWay.delete(key);
      };
      response.on('close', leave);
      const index = receiver.requests.push(received) - 1;
      const reply = await receiver.reply(received, index);
      if (typeof reply === 'object' && reply.status < 300) receiver.accepted.push(received);
      leave();
      answer(response, reply);
    };
    request.on('end', () => void onEnd());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(wantedPort, host, resolve));
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `http://${host}:${port}/api/v1/write`,
    port,
    requests: [],
    accepted: [],
    problems: [],
    reply: () => ({ status: 204 }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return receiver;
}

const V2 = 'application/x-protobuf;proto=io.prometheus.write.v2.Request';

function receive(request: IncomingMessage, body: Buffer, problems: string[]): ReceivedRequest {
  const { headers, url = '', method } = request;
  const isV2 = headers['content-type'] === V2;
  const expected = {
    method: 'POST',
    'content-encoding': 'snappy',
    'x-prometheus-remote-write-version': isV2 ? '2.0.0' : '0.1.0',
  };
  for (const [name, value] of Object.entries(expected)) {
    const given = name === 'method' ? method : headers[name];
    if (given !== value) problems.push(`${name}: ${given}`);
  }
  if (!isV2 && headers['content-type'] !== 'application/x-protobuf') {
    problems.push(`content-type: ${headers['content-type']}`);
  }
  if (!/^\S+\/\S+$/.test(headers['user-agent'] ?? '')) problems.push(`user-agent: ${headers['user-agent']}`);
  // Throws on what is no block, such as the framed format.
  const message = snappy.uncompress(body);
  return {
    path: url,
    headers,
    message,
    series: isV2 ? decodeRequestV2(message, problems) : decodeMessageV1(message),
  };
}

function answer(response: ServerResponse, reply: Reply): void {
  if (reply === 'hang') return;
  if (reply === 'close') {
    response.socket?.destroy();
  } else if (reply === 'hang_body' || reply === 'close_body') {
    response.writeHead(500, { 'content-length': '100' });
    response.write('half', () => {
      if (reply === 'close_body') response.socket?.destroy();
    });
  } else {
    response.writeHead(reply.status, reply.headers).end(reply.body);
  }
}

/** Body of a remote write 1.0 request, decoded by reflection: not by anything of the code under test. */
export function decodeWriteRequest(body: Buffer): ReceivedSeries[] {
  return decodeMessageV1(snappy.uncompress(body));
}

function decodeMessageV1(body: Buffer): ReceivedSeries[] {
  const message = writeRequest.toObject(writeRequest.decode(body), {
    longs: Number,
    arrays: true,
    defaults: true,
  });
  return (message.timeseries as DecodedSeries[]).map(({ labels, samples, exemplars }) => ({
    key: labels.map(({ name, value }) => `${name}=${value}`).join(),
    labels: recordOf(labels),
    samples,
    exemplars: exemplars.map((exemplar) => ({ ...exemplar, labels: recordOf(exemplar.labels) })),
  }));
}

interface DecodedLabel {
  readonly name: string;
  readonly value: string;
}

interface DecodedSeries {
  readonly labels: DecodedLabel[];
  readonly samples: { value: number; timestamp: number }[];
  readonly exemplars: { labels: DecodedLabel[]; value: number; timestamp: number }[];
}

function recordOf(labels: readonly DecodedLabel[]): Record<string, string> {
  return Object.fromEntries(labels.map(({ name, value }) => [name, value]));
}

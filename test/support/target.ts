import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** An endpoint to scrape, on a free loopback port. */
export interface ServedTarget {
  readonly address: string;
  readonly url: URL;
  readonly requests: IncomingMessage[];
  /** Requests under way. */
  readonly inFlight: () => number;
  answer: Answer;
  close(): Promise<void>;
}

export function body(text: string | Buffer, headers: Record<string, string> = {}): Answer {
  return (response) => response.writeHead(200, { 'content-type': OPENMETRICS, ...headers }).end(text);
}

export async function serveTarget(answer: Answer = body('# EOF\n')): Promise<ServedTarget> {
  const sockets = new Set<Socket>();
  let inFlight = 0;
  const server = createServer((request, response) => {
    target.requests.push(request);
    inFlight++;
    response.on('close', () => inFlight--);
    target.answer(response, request);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const target: ServedTarget = {
    address,
    url: new URL(`http://${address}/metrics`),
    requests: [],
    inFlight: () => inFlight,
    answer,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return target;
}

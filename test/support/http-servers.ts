/** Servers and proxies on loopback that write down what they are asked. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface TestServer {
  readonly port: number;
  readonly asked: Asked[];
  readonly server: Server;
  answer: RequestListener;
  close(): Promise<void>;
}

export async function serve(answer: RequestListener, tls?: ServerOptions): Promise<TestServer> {
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      served.answer(request, response);
    });
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const served: TestServer = {
    port: (server.address() as AddressInfo).port,
    asked,
    server,
    answer,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return served;
}

/** A proxy that opens tunnels, and answers whole URLs itself. */
export async function serveProxy(tls?: ServerOptions, refuse?: string): Promise<TestServer> {
  const proxy = await serve((_, response) => response.end('by proxy'), tls);
  const tunnels = new Set<Socket>();
  proxy.server.on('connect', (request: IncomingMessage, socket: Socket) => {
    const { url = '', headers } = request;
    proxy.asked.push({ method: 'CONNECT', url, headers, body: '' });
    if (refuse !== undefined) {
      socket.end(`HTTP/1.1 ${refuse}\r\n\r\n`);
      return;
    }
    const [host = '', port] = url.split(':');
    const far = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(far).pipe(socket);
    });
    for (const end of [socket, far]) tunnels.add(end.on('error', () => {}));
  });
  const close = async () => {
    for (const end of tunnels) end.destroy();
    await proxy.close();
  };
  return { ...proxy, close };
}

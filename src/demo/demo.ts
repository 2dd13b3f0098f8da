import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseListenAddress } from '../cli/listen-address.js';
import { Shop } from './shop.js';

const REQUESTS_PER_SECOND = 40;
const TICK_MS = 100;

/** Serves the metrics of a pretend shop, with its own load, until a signal ends it. @returns the exit code */
export async function runDemo(listenAddress: string): Promise<number> {
  const address = parseListenAddress(listenAddress);
  if (address === undefined) {
    process.stderr.write(`error: --listen-address: ${JSON.stringify(listenAddress)} is not HOST:PORT\n`);
    return 2;
  }
  const shop = new Shop();
  const server = createServer(async (request, response) => {
    if (request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404).end('the metrics are at /metrics\n');
      return;
    }
    const body = await shop.registry.metrics();
    response.writeHead(200, { 'content-type': shop.registry.contentType }).end(body);
  });
  const load = setInterval(() => {
    for (let i = 0; i < (REQUESTS_PER_SECOND * TICK_MS) / 1000; i++) shop.serveOne(Date.now());
  }, TICK_MS);
  return new Promise((resolve) => {
    const stop = (code: number) => {
      clearInterval(load);
      // The channel to exemplard, which started this with --demo, would keep the process.
      if (process.connected) process.disconnect();
      server.close(() => resolve(code));
      server.closeAllConnections();
    };
    for (const signal of ['SIGTERM', 'SIGINT', 'disconnect'] as const) process.once(signal, () => stop(0));
    server.once('error', (error) => {
      process.stderr.write(`error: the demo service cannot listen: ${error.message}\n`);
      stop(1);
    });
    server.listen(address, () => {
      const { port } = server.address() as AddressInfo;
      process.stdout.write(`demo service: http://${address.host}:${port}/metrics\n`);
    });
  });
}

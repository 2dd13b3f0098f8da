import { request } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../util/clock.js';

export interface TunnelRequest {
  /** A connection to the proxy; destroyed if there will be no tunnel. */
  readonly socket: Socket;
  /** `host:port` at the other end. */
  readonly authority: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** The proxy, for errors; without credentials. */
  readonly proxy: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/**
 * Asks a proxy to be passed on (CONNECT).
 * @returns the connection, which from now on leads to the other end
 * @throws Error that names the proxy and says what it answered
 */
export function openTunnel(asked: TunnelRequest): Promise<Socket> {
  const { socket, authority, headers, proxy, clock, timeoutMs } = asked;
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      cancelTimeout();
      socket.destroy();
      reject(new Error(`proxy ${proxy} does not connect to ${authority}: ${why}`));
    };
    const cancelTimeout = clock.after(timeoutMs, () => fail(`no answer within ${timeoutMs} ms`));
    request({ method: 'CONNECT', path: authority, headers: { ...headers, host: authority }, createConnection: () => socket }) // biome-ignore format: one line
      .once('connect', ({ statusCode, statusMessage }, _, head: Buffer) => {
        if (statusCode !== 200) return fail(`it answered ${statusCode} ${statusMessage}`.trim());
        cancelTimeout();
        // The other end speaks second; were it not so, its words would still come first.
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      })
      .once('error', (error) => fail(error.message))
      .end();
  });
}

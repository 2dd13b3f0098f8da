import type { AddressInfo } from 'node:net';
import type { Server } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import { SecretFiles } from '../http-client/secret-files.js';
import type { Clock } from '../util/clock.js';
import type { Log } from '../util/log.js';
import { requireUsers } from './authentication.js';
import { Destinations } from './destination.js';
import { addRoutes, type RouteParts } from './routes.js';
import { createServer, type ServerSettings } from './server.js';
import { answerInTheClear, judgeClients, serverTls } from './server-tls.js';
import type { WebConfig } from './web-config.js';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** How exemplard is reached, as its flags say. */
export interface WebOptions extends ServerSettings {
  readonly listen: readonly ListenAddress[];
  /** Where its paths begin behind a proxy; empty, or like `/exemplars`. */
  readonly routePrefix: string;
  /** Where they begin for clients, in front of the proxy. */
  readonly publicPrefix: string;
  /** Who may ask, and how it is encrypted; read again when it changes. @throws {Error} what is wrong with it */
  readonly loadConfig: () => WebConfig;
}

export interface ListenersParts {
  readonly options: WebOptions;
  readonly routes: RouteParts;
  readonly clock: Clock;
  readonly log: Log;
}

/** How often certificates are looked at. */
const CERTIFICATES_INTERVAL_MS = 5_000;

/** One server an address, all alike. */
export class Listeners {
  readonly #parts: ListenersParts;
  readonly #files: SecretFiles;
  #servers: FastifyInstance[] = [];
  #config: WebConfig;
  /** What of TLS the servers have now. */
  #served = '';
  #cancelTimer = () => {};

  /** @throws {Error} for a web configuration that is wrong */
  constructor(parts: ListenersParts) {
    this.#parts = parts;
    this.#files = new SecretFiles(parts.clock);
    this.#config = parts.options.loadConfig();
  }

  /** Where the servers listen, once started. */
  get addresses(): readonly string[] {
    const scheme = this.#config.tls === undefined ? 'http' : 'https';
    return this.#servers.map((server) => {
      const { address, family, port } = server.server.address() as AddressInfo;
      return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
    });
  }

  /** Whether credentials of requests are ours to judge. */
  get hasUsers(): boolean {
    return this.#config.users.size > 0;
  }

  async start(): Promise<void> {
    const { options, routes } = this.#parts;
    const { tls } = this.#config;
    const secure = tls && (await serverTls(tls, this.#files));
    this.#served = JSON.stringify(secure);
    for (const address of options.listen) {
      const { routePrefix, publicPrefix } = options;
      const destinations = new Destinations({
        routePrefix,
        publicPrefix,
        hasUpstream: () => routes.upstream() !== undefined,
      });
      const server = await createServer({ ...options, destinations, tls: secure });
      requireUsers(server, () => this.#config, routePrefix);
      server.addHook('onSend', async (_request, reply) => void reply.headers(this.#config.headers));
      await addRoutes(server, destinations, routes);
      if (secure !== undefined) {
        judgeClients(server.server as unknown as Server, () => this.#config.tls);
        answerInTheClear(server.server as unknown as Server);
      }
      await server.listen(address);
      this.#servers.push(server);
    }
    if (tls !== undefined) this.#watchCertificates();
  }

  /** Takes over the web configuration as it is now. @throws {Error} what is wrong with it, and then nothing has changed */
  reload(): void {
    const config = this.#parts.options.loadConfig();
    if ((config.tls === undefined) !== (this.#config.tls === undefined))
      throw new Error('tls_server_config cannot come or go while exemplard runs: start it again');
    // A server that listens goes on asking for certificates as it did.
    if (config.tls?.clientAuth !== this.#config.tls?.clientAuth)
      throw new Error('client_auth_type cannot change while exemplard runs: start it again');
    this.#config = config;
  }

  /** A client that does not read its answer, or never ends its request, would keep the process for ever. */
  async stop(deadlineAtMs: number): Promise<void> {
    const { clock } = this.#parts;
    this.#cancelTimer();
    const cancelDeadline = clock.after(Math.max(0, deadlineAtMs - clock.monotonicMs()), () => {
      for (const { server } of this.#servers) server.closeAllConnections();
    });
    await Promise.all(this.#servers.map((server) => server.close()));
    cancelDeadline();
  }

  #watchCertificates(): void {
    const { clock, log } = this.#parts;
    this.#cancelTimer = clock.after(CERTIFICATES_INTERVAL_MS, () => {
      this.#renewCertificates()
        .catch((error: Error) =>
          log.error({ error: error.message }, 'certificates were not read; the old ones stay'),
        )
        .finally(() => this.#watchCertificates());
    });
  }

  /** Connections from now on get them; those that are open keep theirs. */
  async #renewCertificates(): Promise<void> {
    const { tls } = this.#config;
    if (tls === undefined) return;
    const secure = await serverTls(tls, this.#files);
    const read = JSON.stringify(secure);
    if (read === this.#served) return;
    for (const { server } of this.#servers) (server as unknown as Server).setSecureContext(secure);
    this.#served = read;
    this.#parts.log.info({}, 'certificates of the server renewed');
  }
}

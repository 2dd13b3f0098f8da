import type { buildConnector, Dispatcher } from 'undici';
import type { Clock } from '../util/clock.js';
import { Credentials } from './credentials.js';
import { Exchange, type ExchangeParts } from './exchange.js';
import { TokenSource } from './oauth2.js';
import type { HttpClientOptions } from './options.js';
import { SecretFiles } from './secret-files.js';
import { Transport } from './transport.js';

export interface HttpClientParts {
  readonly clock: Clock;
  /** Of requests for tokens; other requests bring their own. */
  readonly userAgent: string;
  /** Where a proxy may be named. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Makes connections without TLS, in the place of the usual way. */
  readonly connectPlain?: buildConnector.connector;
  /** How long a connection may wait for its next request; not given: some seconds. */
  readonly keepAliveMs?: number;
}

/**
 * Makes requests as its options say. `dispatcher` takes them as undici's own do, so that `request` and whoever
 * drives a dispatcher by hand both work with it; headers must be a plain object. It has no timeouts for a whole
 * exchange: those are the caller's. What goes wrong before a request is sent (a file that cannot be read, a token
 * that is refused) is the error of that request, and the next one tries again.
 */
export class HttpClient {
  readonly dispatcher: Dispatcher;
  readonly #transport: Transport;
  readonly #credentials: Credentials;
  readonly #tokens: TokenSource | undefined;

  constructor(options: HttpClientOptions, parts: HttpClientParts) {
    const { clock, userAgent, environment = process.env, connectPlain, keepAliveMs } = parts;
    const files = new SecretFiles(clock);
    const shared = { files, clock, environment, connectPlain, keepAliveMs };
    this.#transport = new Transport({ ...shared, ...options });
    if (options.auth.type === 'oauth2') {
      const { oauth2 } = options.auth;
      const transport = new Transport({ ...shared, ...oauth2, enableHttp2: options.enableHttp2 });
      this.#tokens = new TokenSource({ options: oauth2, files, clock, userAgent, transport });
    }
    this.#credentials = new Credentials(options, files, this.#tokens);
    const exchange: Omit<ExchangeParts, 'dispatch'> = {
      credentials: this.#credentials,
      followRedirects: options.followRedirects,
    };
    this.dispatcher = this.#transport.compose((dispatch) => (request, handler) => {
      new Exchange({ ...exchange, dispatch }, request, handler).begin();
      return true;
    });
  }

  /** For who passes requests on: it takes paths as they are, follows nothing, and adds nothing. */
  get transport(): Dispatcher {
    return this.#transport;
  }

  /** What a request that goes by `transport` needs to say who asks. @throws Error that says which file or token could not be had */
  credentials(): Promise<Record<string, string | string[]>> {
    return this.#credentials.headers();
  }

  /** Takes no more requests; resolves when those under way have ended. */
  drain(): Promise<void> {
    return this.#transport.close();
  }

  /** Ends idle connections and aborts exchanges. */
  async close(): Promise<void> {
    await Promise.all([this.#transport.destroy(), this.#tokens?.close()]);
  }
}

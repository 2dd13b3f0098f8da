/** One server, spoken to by the official client. */

import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { Readable } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { TlsOptions } from '../../http-client/options.js';
import type { SecretFiles } from '../../http-client/secret-files.js';
import { SecureContexts } from '../../http-client/secure-contexts.js';
import { redactUrl } from '../../util/secrets.js';
import type { Param } from '../database.js';
import type { ServerOptions } from '../options.js';
import { answeredError, unansweredError } from '../statement-error.js';
import type { Settings } from '../statement-settings.js';
import { fitUrl, formBody, paramTexts } from './params-body.js';

/** Shorter than what servers keep idle connections for: 3 s before 23.11, 10 s and more since. */
const IDLE_SOCKET_MS = 2_500;
const MAX_CONNECTIONS = 10;
/** Each statement has a time of its own; the client's is one for all. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

export interface ServerRequest {
  readonly sql: string;
  readonly params?: Readonly<Record<string, Param>>;
  readonly settings: Settings;
  /** Rows of an insert, sent compressed. */
  readonly rows?: Buffer;
  readonly signal: AbortSignal;
}

interface Clients {
  /** Undefined for plain HTTP. */
  readonly context: SecureContext | undefined;
  readonly inserts: ClickHouseClient;
  /** Forms are not read compressed by every server. */
  readonly others: ClickHouseClient;
}

export class Server {
  /** Without what may be a secret. */
  readonly shownUrl: string;
  readonly #url: string;
  readonly #options: ServerOptions;
  readonly #files: SecretFiles;
  readonly #contexts: SecureContexts | undefined;
  #clients: Clients | undefined;

  constructor(url: string, options: ServerOptions, files: SecretFiles) {
    this.#url = url;
    this.shownUrl = redactUrl(url);
    this.#options = options;
    this.#files = files;
    if (url.startsWith('https:')) this.#contexts = new SecureContexts(options.tls, files);
  }

  /** @returns the answer's body, which must be read or destroyed. @throws {DatabaseError | NotSent} */
  async send({ sql, params = {}, settings, rows, signal }: ServerRequest): Promise<Readable> {
    const { inserts, others } = await this.#current().catch(notSent);
    const password = await this.#files.read(this.#options.password, 'archive.password').catch(notSent);
    const texts = paramTexts(params);
    const isForm = rows === undefined && !fitUrl(texts);
    const form = isForm ? formBody(texts) : undefined;
    const body = rows ?? form?.bytes;
    try {
      const { stream } = await (rows === undefined ? others : inserts).exec({
        query: sql,
        ...(body === undefined
          ? { query_params: {} }
          : { values: Readable.from([body], { objectMode: false }) }),
        ...(form === undefined ? {} : { http_headers: { 'Content-Type': form.contentType } }),
        clickhouse_settings: { ...settings, ...(isForm ? {} : prefixed(texts)) },
        auth: { username: this.#options.user, password },
        abort_signal: signal,
      });
      return stream;
    } catch (error) {
      if (isConnectFailure(error as NodeJS.ErrnoException)) return notSent(error as Error);
      throw databaseError(error as Error, this.shownUrl);
    }
  }

  async close(): Promise<void> {
    const clients = this.#clients;
    this.#clients = undefined;
    await Promise.all([clients?.inserts.close(), clients?.others.close()]);
  }

  async #current(): Promise<Clients> {
    const context = await this.#contexts?.current();
    if (this.#clients !== undefined && this.#clients.context === context) return this.#clients;
    // What is under way on the old ones ends on its own; idle connections of theirs are closed soon.
    this.#clients = this.#make(context);
    return this.#clients;
  }

  #make(context: SecureContext | undefined): Clients {
    const client = (isCompressed: boolean) =>
      createClient({
        url: this.#url,
        database: this.#options.database,
        application: 'exemplard',
        request_timeout: NO_TIMEOUT_MS,
        // One each: a client closes connections that it has not used for a while, whoever else does.
        http_agent: agentFor(context, this.#options.tls),
        keep_alive: { enabled: true, idle_socket_ttl: IDLE_SOCKET_MS },
        compression: { request: isCompressed, response: false },
        log: { level: ClickHouseLogLevel.OFF },
      });
    return { context, inserts: client(true), others: client(false) };
  }
}

function agentFor(context: SecureContext | undefined, tls: TlsOptions): Agent {
  const options = { keepAlive: true, maxSockets: MAX_CONNECTIONS };
  if (context === undefined) return new Agent(options);
  const name = tls.serverName === '' ? {} : { servername: tls.serverName };
  return new TlsAgent({
    ...options,
    ...name,
    secureContext: context,
    rejectUnauthorized: !tls.insecureSkipVerify,
  });
}

/** The client would escape texts once more that it is given as parameters. */
function prefixed(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [`param_${name}`, text]));
}

/** Nothing of the statement has left: another server may be asked instead. */
export class NotSent extends Error {}

function notSent(error: Error): never {
  throw new NotSent(error.message || (error as NodeJS.ErrnoException).code || error.name);
}

const CONNECT_CODES = /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|ERR_TLS_\w+|ERR_SSL_\w+)$/;
/** OpenSSL's names of what is wrong with a certificate. */
const CERTIFICATE_CODES = /CERT|SELF_SIGNED|UNABLE_TO_|CRL|HOSTNAME_MISMATCH/;

function isConnectFailure({ code, syscall }: NodeJS.ErrnoException): boolean {
  if (typeof code !== 'string') return false;
  return syscall === 'connect' || CONNECT_CODES.test(code) || CERTIFICATE_CODES.test(code);
}

/** As much of a page of some proxy as is shown. */
const MAX_FOREIGN_TEXT = 200;

function databaseError(error: Error & { code?: string }, shownUrl: string): Error {
  if (error instanceof ClickHouseError) {
    const message = `Code: ${error.code}. DB::Exception: ${error.message.trim()} (${error.type ?? 'UNKNOWN'})`;
    return answeredError({ message, code: Number(error.code) });
  }
  const said = (error.message || error.code || 'an empty answer')
    .replace(/\s+/g, ' ')
    .slice(0, MAX_FOREIGN_TEXT);
  return unansweredError(`ClickHouse at ${shownUrl}: ${said}`);
}

import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { ApiError } from './api-error.js';
import { belowPrefix } from './destination.js';
import { plainText } from './other-methods.js';
import { Passwords, TooManyPasswords } from './passwords.js';
import type { WebConfig } from './web-config.js';

/** Compared with for a user that there is not, so that the time an answer takes does not tell. */
const NOBODYS_HASH = '$2b$10$un71KPJXJ.aG.SP7tUYJxuHacvjan.1i55rFONOgrg7fnmDDJJK1q';

/** A hash takes a tenth of a second on purpose; who asks every few seconds is known by now. */
const MAX_REMEMBERED = 100;

/** Basic authentication, as Prometheus does it: bcrypt hashes, and what was right once is remembered. */
export class Users {
  readonly #config: () => WebConfig;
  /** Digests of user, hash and password that fitted. */
  readonly #known = new Set<string>();
  readonly #passwords = new Passwords();

  constructor(config: () => WebConfig) {
    this.#config = config;
  }

  /** Whether a request may be answered. @param path without the route prefix; undefined beside it, where nothing is open */
  async admits(
    path: string | undefined,
    authorization: string | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { users, openPaths } = this.#config();
    if (users.size === 0 || (path !== undefined && openPaths.includes(path))) return true;
    const given = credentialsOf(authorization);
    if (given === undefined) return false;
    const hash = users.get(given.user);
    const digest = digestOf(given.user, hash ?? '', given.password);
    if (this.#known.has(digest)) return true;
    const fits = await this.#passwords.fits(given.password, hash ?? NOBODYS_HASH, signal);
    if (!fits || hash === undefined) return false;
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.add(digest);
    return true;
  }
}

/** Asks for a password before anything else is looked at, what is passed on included. */
export function requireUsers(server: FastifyInstance, config: () => WebConfig, routePrefix: string): void {
  const users = new Users(config);
  server.addHook('onRequest', async (request, reply) => {
    const path = belowPrefix(request.originalUrl.split('?', 1)[0]!, routePrefix);
    const gone = new AbortController();
    const leave = () => gone.abort();
    reply.raw.once('close', leave);
    try {
      if (await users.admits(path, request.headers.authorization, gone.signal)) return;
    } catch (error) {
      if (error instanceof TooManyPasswords) throw new ApiError('timeout', error.message);
      throw error;
    } finally {
      reply.raw.off('close', leave);
    }
    return plainText(reply.header('www-authenticate', 'Basic'), 401, 'Unauthorized\n');
  });
}

/** RFC 7617. */
function credentialsOf(authorization = ''): { user: string; password: string } | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function digestOf(...texts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('base64');
}

import { type Dispatcher, request } from 'undici';
import type { Clock } from '../util/clock.js';
import { checkHeaderValue } from './headers.js';
import type { OAuth2Options } from './options.js';
import type { SecretFiles } from './secret-files.js';

/** Go's allowance: a token is not used in its last seconds. */
const EXPIRY_MARGIN_MS = 10_000;
const TOKEN_TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 1024 * 1024;
const MAX_SHOWN_CHARACTERS = 200;

interface Token {
  readonly authorization: string;
  /** By the monotonic clock; Infinity where the endpoint does not say. */
  readonly usableUntilMs: number;
}

export interface TokenParts {
  readonly options: OAuth2Options;
  readonly files: SecretFiles;
  readonly clock: Clock;
  /** Leads to the token endpoint. */
  readonly transport: Dispatcher;
  readonly userAgent: string;
}

/** Tokens by the grant `client_credentials`: one at a time, for all who ask. */
export class TokenSource {
  readonly #parts: TokenParts;
  readonly #stop = new AbortController();
  #token: Token | undefined;
  #fetching: Promise<Token> | undefined;
  /** As Go does: a server that takes no basic authentication is asked with the secret in the body, from then on. */
  #secretInBody = false;

  constructor(parts: TokenParts) {
    this.#parts = parts;
  }

  /** @throws Error that names the token endpoint and says why there is no token */
  async authorization(): Promise<string> {
    if (this.#token !== undefined && this.#parts.clock.monotonicMs() < this.#token.usableUntilMs) {
      return this.#token.authorization;
    }
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    return (await this.#fetching).authorization;
  }

  /** The token is not good any more, unless there is another by now. */
  discard(authorization: string): void {
    if (this.#token?.authorization === authorization) this.#token = undefined;
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('stopped'));
    await this.#parts.transport.destroy();
  }

  async #fetch(): Promise<Token> {
    const { options, files } = this.#parts;
    const secret = await files.read(options.clientSecret, 'oauth2.client_secret');
    try {
      this.#token = await this.#ask(secret);
      return this.#token;
    } catch (error) {
      const { origin, pathname } = new URL(options.tokenUrl);
      const why = redacted((error as Error).message || (error as Error).name, secret);
      throw new Error(`oauth2: no token from ${origin}${pathname}: ${why}`);
    }
  }

  async #ask(secret: string): Promise<Token> {
    const first = await this.#exchange(secret, this.#secretInBody);
    if (first.status < 300 || this.#secretInBody) return this.#read(first);
    const second = await this.#exchange(secret, true);
    if (second.status >= 300) return this.#read(first);
    const token = this.#read(second);
    this.#secretInBody = true;
    return token;
  }

  async #exchange(secret: string, secretInBody: boolean): Promise<Answer> {
    const { options, clock, transport, userAgent } = this.#parts;
    const { clientId, scopes, endpointParams, tokenUrl } = options;
    const form = new URLSearchParams({ grant_type: 'client_credentials' });
    if (scopes.length > 0) form.set('scope', scopes.join(' '));
    for (const [name, value] of Object.entries(endpointParams)) form.set(name, value);
    if (secretInBody) {
      form.set('client_id', clientId);
      if (secret !== '') form.set('client_secret', secret);
    }
    const timeout = new AbortController();
    const cancelTimeout = clock.after(TOKEN_TIMEOUT_MS, () => {
      timeout.abort(new Error(`no complete answer within ${TOKEN_TIMEOUT_MS} ms`));
    });
    try {
      const response = await request(tokenUrl, {
        dispatcher: transport,
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          accept: 'application/json',
          'user-agent': userAgent,
          ...(secretInBody ? {} : { authorization: formBasic(clientId, secret) }),
        },
        body: form.toString(),
        signal: AbortSignal.any([timeout.signal, this.#stop.signal]),
      });
      return { status: response.statusCode, text: await readBounded(response) };
    } finally {
      cancelTimeout();
    }
  }

  #read({ status, text }: Answer): Token {
    const answer = parseObject(text);
    if (status < 200 || status >= 300 || typeof answer.error === 'string') {
      const details = [answer.error, answer.error_description].filter((each) => typeof each === 'string');
      throw new Error([`it answered ${status}`, ...details].join(', '));
    }
    const { access_token: accessToken, token_type: type, expires_in: expiresIn } = answer;
    if (typeof accessToken !== 'string' || accessToken === '')
      throw new Error('its answer has no access_token');
    const scheme = typeof type !== 'string' || /^(bearer)?$/i.test(type) ? 'Bearer' : type;
    const seconds = Number(expiresIn);
    return {
      authorization: checkHeaderValue(`${scheme} ${accessToken}`, 'the token'),
      usableUntilMs:
        seconds > 0
          ? this.#parts.clock.monotonicMs() + Math.max(0, 1000 * seconds - EXPIRY_MARGIN_MS)
          : Number.POSITIVE_INFINITY,
    };
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** RFC 6749, section 2.3.1: encoded as in a form before it is encoded for the header. */
function formBasic(clientId: string, secret: string): string {
  const encoded = [clientId, secret].map((text) => new URLSearchParams({ '': text }).toString().slice(1));
  return `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`;
}

async function readBounded(response: Dispatcher.ResponseData): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    if ((length += chunk.length) > MAX_ANSWER_BYTES) throw new Error('its answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** A server may repeat in its error what it was sent. */
function redacted(message: string, secret: string): string {
  const clean = secret === '' ? message : message.replaceAll(secret, '<secret>');
  return clean.length > MAX_SHOWN_CHARACTERS ? `${clean.slice(0, MAX_SHOWN_CHARACTERS)}…` : clean;
}

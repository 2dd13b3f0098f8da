import { checkHeaderValue, readHeaders } from './headers.js';
import type { TokenSource } from './oauth2.js';
import type { AuthOptions, HttpClientOptions } from './options.js';
import type { SecretFiles } from './secret-files.js';

/** What a request says of who asks, as the options and their files have it now. */
export class Credentials {
  readonly #options: HttpClientOptions;
  readonly #files: SecretFiles;
  readonly #tokens: TokenSource | undefined;

  constructor(options: HttpClientOptions, files: SecretFiles, tokens: TokenSource | undefined) {
    this.#options = options;
    this.#files = files;
    this.#tokens = tokens;
  }

  /** Nothing is ever sent: nobody needs to wait for it. */
  get areNone(): boolean {
    return this.#options.auth.type === 'none' && Object.keys(this.#options.headers).length === 0;
  }

  /** @throws Error that says which file or token could not be had */
  async headers(): Promise<Record<string, string | string[]>> {
    const headers = await readHeaders(this.#options.headers, 'http_headers', this.#files);
    const authorization = await this.#authorization(this.#options.auth);
    return authorization === undefined ? headers : { ...headers, authorization };
  }

  /** The server answered 401 to what `headers` gave. Files are read again anyway; a token may have been revoked. */
  refused(headers: Readonly<Record<string, string | string[]>>): void {
    this.#tokens?.discard(String(headers.authorization ?? ''));
  }

  async #authorization(auth: AuthOptions): Promise<string | undefined> {
    switch (auth.type) {
      case 'none':
        return undefined;
      case 'basic': {
        const username = await this.#files.read(auth.username, 'basic_auth.username');
        return basic(username, await this.#files.read(auth.password, 'basic_auth.password'));
      }
      case 'authorization': {
        const what = 'authorization.credentials';
        const credentials = checkHeaderValue(await this.#files.read(auth.credentials, what), what);
        return `${auth.scheme} ${credentials}`;
      }
      case 'oauth2':
        return this.#tokens?.authorization();
    }
  }
}

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

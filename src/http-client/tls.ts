import type { SecureContext } from 'node:tls';
import { buildConnector } from 'undici';
import type { TlsOptions } from './options.js';
import type { SecretFiles } from './secret-files.js';
import { SecureContexts } from './secure-contexts.js';

export interface TlsConnectorParts {
  readonly tls: TlsOptions;
  readonly files: SecretFiles;
  readonly allowHttp2: boolean;
  readonly connectTimeoutMs: number;
}

/** Connects by TLS. New connections use the files as they are then; those that stand go on as they are. */
export class TlsConnector {
  readonly #parts: TlsConnectorParts;
  readonly #contexts: SecureContexts;
  #context: SecureContext | undefined;
  #connect: buildConnector.connector | undefined;

  constructor(parts: TlsConnectorParts) {
    this.#parts = parts;
    this.#contexts = new SecureContexts(parts.tls, parts.files);
  }

  readonly connect: buildConnector.connector = (target, callback) => {
    const { serverName } = this.#parts.tls;
    const named = serverName === '' ? target : { ...target, servername: serverName };
    this.#current()
      .then((connect) => connect(named, callback))
      .catch((error: Error) => callback(error, null));
  };

  async #current(): Promise<buildConnector.connector> {
    const context = await this.#contexts.current();
    if (this.#connect === undefined || this.#context !== context) {
      this.#connect = this.#build(context);
      this.#context = context;
    }
    return this.#connect;
  }

  /** A connector remembers TLS sessions, which must not outlive the certificates they were made with. */
  #build(secureContext: SecureContext): buildConnector.connector {
    const { tls, allowHttp2, connectTimeoutMs } = this.#parts;
    return buildConnector({
      secureContext,
      rejectUnauthorized: !tls.insecureSkipVerify,
      allowH2: allowHttp2,
      timeout: connectTimeoutMs,
    });
  }
}

import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureVersion } from 'node:tls';
import { buildConnector } from 'undici';
import type { Secret, TlsOptions, TlsVersion } from './options.js';
import type { SecretFiles } from './secret-files.js';

const VERSIONS: Readonly<Record<TlsVersion, SecureVersion>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};

/** Certificates and keys as they were read. */
interface Pems {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

export interface TlsConnectorParts {
  readonly tls: TlsOptions;
  readonly files: SecretFiles;
  readonly allowHttp2: boolean;
  readonly connectTimeoutMs: number;
}

/** Connects by TLS. New connections use the files as they are then; those that stand go on as they are. */
export class TlsConnector {
  readonly #parts: TlsConnectorParts;
  #pems: Pems | undefined;
  #connect: buildConnector.connector | undefined;

  constructor(parts: TlsConnectorParts) {
    this.#parts = parts;
  }

  readonly connect: buildConnector.connector = (target, callback) => {
    const { serverName } = this.#parts.tls;
    const named = serverName === '' ? target : { ...target, servername: serverName };
    this.#current()
      .then((connect) => connect(named, callback))
      .catch((error: Error) => callback(error, null));
  };

  async #current(): Promise<buildConnector.connector> {
    const pems = await this.#read();
    const isSame = PARTS.every((part) => this.#pems?.[part] === pems[part]);
    if (this.#connect === undefined || !isSame) {
      this.#connect = this.#build(pems);
      this.#pems = pems;
    }
    return this.#connect;
  }

  async #read(): Promise<Pems> {
    const { tls, files } = this.#parts;
    const read = (part: keyof Pems) => {
      const secret = tls[part];
      return secret === undefined ? undefined : files.read(secret, keyOf(part, secret));
    };
    const [ca, cert, key] = await Promise.all(PARTS.map(read));
    return { ca, cert, key };
  }

  /** A connector remembers TLS sessions, which must not outlive the certificates they were made with. */
  #build(pems: Pems): buildConnector.connector {
    const { tls, allowHttp2, connectTimeoutMs } = this.#parts;
    return buildConnector({
      secureContext: secureContext(pems, tls),
      rejectUnauthorized: !tls.insecureSkipVerify,
      allowH2: allowHttp2,
      timeout: connectTimeoutMs,
    });
  }
}

const PARTS = ['ca', 'cert', 'key'] as const;

function keyOf(part: keyof Pems, secret: Secret | undefined): string {
  return secret !== undefined && 'file' in secret ? `tls_config.${part}_file` : `tls_config.${part}`;
}

function nameOf(part: keyof Pems, secret: Secret | undefined): string {
  return secret !== undefined && 'file' in secret
    ? `${keyOf(part, secret)} ${secret.file}`
    : keyOf(part, secret);
}

/** OpenSSL's words do not say which of the three it is about, so each is tried alone. */
function secureContext({ ca, cert, key }: Pems, tls: TlsOptions): SecureContext {
  if (ca !== undefined) explained(nameOf('ca', tls.ca), () => checkCertificates(ca));
  if (cert !== undefined) explained(nameOf('cert', tls.cert), () => createSecureContext({ cert }));
  if (key !== undefined) explained(nameOf('key', tls.key), () => createSecureContext({ key }));
  const both =
    cert === undefined ? 'tls_config' : `${nameOf('cert', tls.cert)} and ${nameOf('key', tls.key)}`;
  return explained(both, () =>
    createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(tls.minVersion === undefined ? {} : { minVersion: VERSIONS[tls.minVersion] }),
      ...(tls.maxVersion === undefined ? {} : { maxVersion: VERSIONS[tls.maxVersion] }),
    }),
  );
}

/** Of what is no certificate, OpenSSL takes none without a word. */
function checkCertificates(pem: string): void {
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) throw new Error('it holds no PEM certificate');
  for (const certificate of certificates) new X509Certificate(certificate);
}

function explained<Result>(what: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}`);
  }
}

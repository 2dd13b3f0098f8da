/** Certificates, keys and versions of TLS, made from options and the files they name. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureVersion } from 'node:tls';
import type { Secret, TlsOptions, TlsVersion } from './options.js';
import type { SecretFiles } from './secret-files.js';

export const SECURE_VERSIONS: Readonly<Record<TlsVersion, SecureVersion>> = {
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

/** The secure context of options: the same object as long as their files say the same. */
export class SecureContexts {
  readonly #tls: TlsOptions;
  readonly #files: SecretFiles;
  #pems: Pems | undefined;
  #context: SecureContext | undefined;

  constructor(tls: TlsOptions, files: SecretFiles) {
    this.#tls = tls;
    this.#files = files;
  }

  /** @throws Error that names the key, and the file if there is one */
  async current(): Promise<SecureContext> {
    const pems = await this.#read();
    const isSame = PARTS.every((part) => this.#pems?.[part] === pems[part]);
    if (this.#context === undefined || !isSame) {
      this.#context = secureContext(pems, this.#tls);
      this.#pems = pems;
    }
    return this.#context;
  }

  async #read(): Promise<Pems> {
    const read = (part: keyof Pems) => {
      const secret = this.#tls[part];
      return secret === undefined ? undefined : this.#files.read(secret, keyOf(part, secret));
    };
    const [ca, cert, key] = await Promise.all(PARTS.map(read));
    return { ca, cert, key };
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
      ...(tls.minVersion === undefined ? {} : { minVersion: SECURE_VERSIONS[tls.minVersion] }),
      ...(tls.maxVersion === undefined ? {} : { maxVersion: SECURE_VERSIONS[tls.maxVersion] }),
    }),
  );
}

/** Of what is no certificate, OpenSSL takes none without a word. */
export function checkCertificates(pem: string): void {
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

/** Certificates for tests, made on the spot with the `openssl` of the system. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const HAS_OPENSSL = spawnSync('openssl', ['version']).error === undefined;

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** An authority of its own in `directory`, which signs what it is asked to. */
export class Authority {
  readonly #directory: string;
  readonly pair: Pair;
  #serial = 1;

  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.pair = this.#run(name, (key, cert) => [
      ['req', '-x509', ...NEW_KEY, '-keyout', key, '-out', cert, '-days', '3650', '-subj', `/CN=${name}`],
    ]);
  }

  /** @param names what the certificate is good for, such as `DNS:localhost,IP:127.0.0.1` */
  sign(name: string, names: string): Pair {
    const extensions = this.#file(`${name}.ext`, `subjectAltName=${names}\n`);
    const [ca, caKey] = [this.#file('ca.pem', this.pair.cert), this.#file('ca.key', this.pair.key)];
    return this.#run(name, (key, cert) => {
      const request = join(this.#directory, `${name}.csr`);
      const signing = ['-CA', ca, '-CAkey', caKey, '-set_serial', String(++this.#serial), '-days', '3650'];
      return [
        ['req', ...NEW_KEY, '-keyout', key, '-out', request, '-subj', `/CN=${name}`],
        ['x509', '-req', '-in', request, ...signing, '-extfile', extensions, '-out', cert],
      ];
    });
  }

  #run(name: string, commands: (key: string, cert: string) => string[][]): Pair {
    const [key, cert] = [join(this.#directory, `${name}.key`), join(this.#directory, `${name}.pem`)];
    for (const command of commands(key, cert)) execFileSync('openssl', command, { stdio: 'pipe' });
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  }

  #file(name: string, text: string): string {
    const path = join(this.#directory, name);
    writeFileSync(path, text);
    return path;
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

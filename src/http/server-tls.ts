/** TLS of our own server. */
import type { ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import { createSecureContext, type Server, type TLSSocket } from 'node:tls';
import type { Secret } from '../http-client/options.js';
import type { SecretFiles } from '../http-client/secret-files.js';
import { checkCertificates, SECURE_VERSIONS } from '../http-client/secure-contexts.js';
import { LINGER_MS } from './server.js';
import type { ServerTlsOptions } from './web-config.js';

const IN_THE_CLEAR =
  'HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';

/**
 * What Node's server needs.
 * @throws Error that says what is wrong with which file
 */
export async function serverTls(options: ServerTlsOptions, files: SecretFiles): Promise<ServerOptions> {
  const read = async (secret: Secret | undefined, name: string, check: (pem: string) => void) => {
    if (secret === undefined) return undefined;
    const what = `tls_server_config.${name}`;
    const pem = await files.read(secret, what);
    return explained(what, () => {
      check(pem);
      return pem;
    });
  };
  // Node.js takes an empty text for none: a file that is just being written would shut everybody out, or let everybody in.
  const [cert, key, ca] = await Promise.all([
    read(options.cert, 'cert_file', checkCertificates),
    read(options.key, 'key_file', checkKey),
    read(options.clientCa, 'client_ca_file', checkCertificates),
  ]);
  const tls: ServerOptions = {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    minVersion: SECURE_VERSIONS[options.minVersion],
    maxVersion: SECURE_VERSIONS[options.maxVersion],
    ...(options.ciphers.length === 0 ? {} : { ciphers: options.ciphers.join(':') }),
    honorCipherOrder: options.prefersOwnCiphers,
    ...(options.curves.length === 0 ? {} : { ecdhCurve: options.curves.join(':') }),
    requestCert: options.clientAuth !== 'NoClientCert',
    rejectUnauthorized: options.clientAuth === 'RequireAndVerifyClientCert',
  };
  explained('tls_server_config', () => createSecureContext(tls));
  return tls;
}

function checkKey(pem: string): void {
  if (pem === '') throw new Error('it is empty');
}

function explained<Result>(what: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}`);
  }
}

/** Node.js itself knows only "verified" and "anything": the rest of Go's kinds is judged here, before a byte is answered. */
export function judgeClients(server: Server, options: () => ServerTlsOptions | undefined): void {
  server.on('secureConnection', (socket: TLSSocket) => {
    const tls = options();
    if (tls !== undefined && !isWelcome(socket, tls)) socket.destroy();
  });
}

/** Who speaks HTTP in the clear is told so, in Go's words, instead of getting nothing at all. */
export function answerInTheClear(server: Server): void {
  /** The socket of an error cannot be written to: it is one of TLS. */
  const sockets = new Map<string, Socket>();
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    sockets.set(peer, socket);
    socket.once('close', () => sockets.delete(peer));
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, secure) => {
    const socket = sockets.get(peerOf(secure));
    if (error.code !== 'ERR_SSL_HTTP_REQUEST' || socket === undefined) return;
    socket.end(IN_THE_CLEAR);
    setTimeout(() => socket.destroy(), LINGER_MS);
  });
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function isWelcome(socket: TLSSocket, { clientAuth, clientAllowedSans }: ServerTlsOptions): boolean {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined)
    return !['RequireAnyClientCert', 'RequireAndVerifyClientCert'].includes(clientAuth);
  const isVerified = ['VerifyClientCertIfGiven', 'RequireAndVerifyClientCert'].includes(clientAuth);
  if (isVerified && !socket.authorized) return false;
  if (clientAllowedSans.length === 0) return true;
  // Each after its kind: `DNS:name, IP Address:1.2.3.4`.
  const names = (certificate.subjectAltName ?? '').split(', ').map((name) => name.replace(/^[^:]*:/, ''));
  return names.some((name) => clientAllowedSans.includes(name));
}

import type { Asker, Failure } from './failure-cause.js';

const LOST: Known = ['connection_lost', 'The connection was closed before the answer was complete.', 'Check that the port speaks HTTP, and whether it wants https://.']; // biome-ignore format: a table
const NO_ANSWER: Known = ['timeout', 'The host does not answer.', 'Check the address, and firewalls on the way.']; // biome-ignore format: a table
const NO_WAY: Known = ['host_unreachable', 'There is no way to the host.', 'Check the network between here and there.']; // biome-ignore format: a table

type Known = readonly [code: string, message: string, next: string];

/** By the code of the error that Node.js gives. */
const CAUSES: Readonly<Record<string, Known>> = {
  ECONNREFUSED: ['connection_refused', 'The connection is refused: nothing listens there.', 'Check host and port, and that the service runs and listens on an address that can be reached from here.'],
  ENOENT: ['connection_refused', 'There is no such socket.', 'Check the path of the socket, and that the service runs.'],
  ENOTFOUND: ['host_unknown', 'There is no host of that name.', 'Check the name, and the DNS of this machine.'],
  EAI_AGAIN: ['host_unknown', 'The name of the host cannot be looked up now.', 'Check the DNS of this machine.'],
  ECONNRESET: LOST,
  EPIPE: LOST,
  UND_ERR_SOCKET: LOST,
  EHOSTUNREACH: NO_WAY,
  ENETUNREACH: NO_WAY,
  ETIMEDOUT: NO_ANSWER,
  UND_ERR_CONNECT_TIMEOUT: NO_ANSWER,
}; // biome-ignore format: a table

export function connectionFailure(error: Error, isTls: boolean, asker: Asker): Failure {
  const { code = '', message, name } = rootOf(error);
  const known = CAUSES[code];
  if (known === LOST && isTls) return lostByTls(asker);
  if (known !== undefined) return { code: known[0], message: known[1], next: known[2] };
  if (/^tls_config|(ca|cert|key)_file/.test(message))
    return { code: 'tls_files', message: `The files for TLS cannot be used: ${message}.`, next: 'Check that the files exist, can be read by this user, and are PEM.' }; // biome-ignore format: one object
  if (isTls && (TLS_CODE.test(code) || /certificate|ssl/i.test(message)))
    return tlsFailure(code, message, asker);
  if (name === 'HTTPParserError')
    return { code: 'not_http', message: `The answer is no HTTP: ${message}.`, next: 'Check the port, and whether it wants https://.' }; // biome-ignore format: one object
  return { code: 'connection_failed', message: `The request fails: ${message}.`, next: 'Check the address.' };
}

const TLS_CODE = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO)/;

/** How each asker is told what to use. */
const TLS_WORDS: Readonly<Record<Asker, Readonly<Record<'ca' | 'client' | 'name' | 'any', string>>>> = {
  command: {
    ca: '--ca FILE',
    client: '--cert FILE and --key FILE',
    name: 'ask for the name that the certificate is for',
    any: '--insecure takes any certificate',
  },
  job: {
    ca: 'ca_file in tls_config',
    client: 'cert_file and key_file in tls_config',
    name: 'set server_name in tls_config to the name that the certificate is for',
    any: 'insecure_skip_verify takes any certificate',
  },
};

const NO_AUTHORITY = /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_)/;
/** What a server says that wants a certificate of its client: none came; the one that came is refused. */
const CLIENT_MISSING = /CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE/;
const CLIENT_REFUSED =
  /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED|DECRYPT_ERROR)/;
const NO_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/;

function tlsFailure(code: string, message: string, asker: Asker): Failure {
  const words = TLS_WORDS[asker];
  const signs = `${code} ${message.toUpperCase().replaceAll(' ', '_')}`;
  const reason = reasonOf(message);
  if (NO_AUTHORITY.test(code))
    return { code: 'tls_authority_unknown', message: `TLS fails: no authority known here vouches for the certificate (${reason}).`, next: `If the endpoint has a certificate of an authority of your own, give that authority's: ${words.ca}. ${words.any}.` }; // biome-ignore format: one object
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return { code: 'tls_name_wrong', message: `TLS fails: the certificate is for another name (${reason}).`, next: `Use a certificate with the name that is asked for, or ${words.name}; ${words.any}.` }; // biome-ignore format: one object
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return { code: 'tls_certificate_expired', message: `TLS fails: ${code === 'CERT_HAS_EXPIRED' ? 'the certificate has expired' : 'the certificate is not valid yet'}.`, next: 'Renew the certificate of the endpoint, and check the clocks of both machines.' }; // biome-ignore format: one object
  if (CLIENT_MISSING.test(signs))
    return { code: 'tls_client_certificate', message: `TLS fails: the endpoint most likely wants a client certificate, and got none (${reason}).`, next: `Give one: ${words.client}.` }; // biome-ignore format: one object
  if (CLIENT_REFUSED.test(signs))
    return { code: 'tls_client_certificate', message: `TLS fails: the endpoint refuses the client certificate (${reason}).`, next: `Give one that an authority of the endpoint signed, and that is still valid: ${words.client}.` }; // biome-ignore format: one object
  if (NO_TLS.test(signs))
    return { code: 'tls', message: 'TLS fails: the port does not speak TLS.', next: `Ask by http:// instead of https://${asker === 'job' ? ' (scheme: http)' : ''}, or another port.` }; // biome-ignore format: one object
  return { code: 'tls', message: `TLS fails: ${reason}.`, next: `Check that the port speaks TLS and for whom its certificate is; ${words.any}.` }; // biome-ignore format: one object
}

/** Servers that want a certificate often just hang up. */
function lostByTls(asker: Asker): Failure {
  return {
    code: LOST[0],
    message: LOST[1],
    next: `Check that the port speaks HTTP over TLS, and whether it wants a client certificate (${TLS_WORDS[asker].client}).`,
  };
}

/** OpenSSL's words without its places in the source. */
function reasonOf(message: string): string {
  return /SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] ?? message;
}

/** An AggregateError (one attempt for every address of a host) has no message of its own. */
function rootOf(error: Error): NodeJS.ErrnoException {
  const first = error instanceof AggregateError ? ((error.errors[0] as Error | undefined) ?? error) : error;
  const cause = first.cause instanceof Error && first.message === '' ? first.cause : first;
  return cause.message === '' ? Object.assign(cause, { message: cause.name }) : cause;
}

import { METHODS } from 'node:http';
import type { ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import compress from '@fastify/compress';
import formbody from '@fastify/formbody';
import fastify, { type FastifyError, type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { AnswerTooLarge } from '../query/exemplars.js';
import { sendJson } from './answer.js';
import { ApiError, apiErrorJson, sendApiError } from './api-error.js';
import type { Destinations } from './destination.js';
import { plainText } from './other-methods.js';
import { parseForm } from './parameters.js';

/** Parameters of a query fit many times over. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
const BODY_TOO_LARGE = `the body of the request is larger than the ${MAX_BODY_BYTES / 1024 ** 2} MiB that a form may have: ask for less at once`;

/** A GET may have a query of 64 KiB, percent-encoded. Go takes a megabyte. */
const MAX_HEADER_BYTES = 256 * 1024;
/** For an answer to somebody who speaks no HTTP to be read. */
export const LINGER_MS = 500;

/** A client that is slower with its headers wants to hold connections, not to ask. */
const HEADERS_TIMEOUT_MS = 10_000;

/** Trace ids do not compress: the usual level 6 takes twice the CPU of this one for 4 % fewer bytes. */
const COMPRESSION = 1;

export interface ServerSettings {
  /** For a whole request to come in. */
  readonly readTimeoutMs: number;
  readonly maxConnections: number;
}

export const DEFAULT_SERVER_SETTINGS: ServerSettings = { readTimeoutMs: 300_000, maxConnections: 512 };

export interface ServerParts extends Partial<ServerSettings> {
  readonly destinations?: Destinations;
  /** Undefined: HTTP in the clear. */
  readonly tls?: ServerOptions | undefined;
}

/** A server with what all resources share: forms, compression, and errors in Prometheus' shape. */
export async function createServer(parts: ServerParts = {}): Promise<FastifyInstance> {
  const { destinations, tls, readTimeoutMs, maxConnections } = { ...DEFAULT_SERVER_SETTINGS, ...parts };
  const timeouts = {
    headersTimeout: Math.min(HEADERS_TIMEOUT_MS, readTimeoutMs),
    requestTimeout: readTimeoutMs,
    connectionsCheckingInterval: 1_000,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const options: FastifyServerOptions = {
    bodyLimit: MAX_BODY_BYTES,
    logger: false,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 1024 },
    requestTimeout: readTimeoutMs,
    ...(destinations === undefined ? {} : { rewriteUrl: (request) => destinations.route(request) }),
    clientErrorHandler: refuseUnreadable,
  };
  const transport = tls === undefined ? { http: timeouts } : { https: { ...timeouts, ...tls } };
  // To those who use it, a server with TLS is one without.
  const server = fastify({ ...options, ...transport } as FastifyServerOptions);
  server.server.maxConnections = maxConnections;
  // For whoever is behind; here they are answered with 405.
  for (const method of METHODS)
    if (!server.supportedMethods.includes(method)) server.addHttpMethod(method, { hasBody: true });
  server.removeAllContentTypeParsers();
  await server.register(formbody, { bodyLimit: MAX_BODY_BYTES, parser: parseForm });
  // Other bodies are not read, and not an error: their parameters just are not there.
  server.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume();
    payload.on('end', () => done(null, undefined));
  });
  await server.register(compress, {
    encodings: ['gzip', 'deflate'],
    threshold: 0,
    zlibOptions: { level: COMPRESSION },
  });
  server.setErrorHandler((error: FastifyError | ApiError, _request, reply) => {
    if (error instanceof ApiError) return sendApiError(reply, error.errorType, error.message);
    if (error instanceof AnswerTooLarge) return sendApiError(reply, 'execution', error.message);
    // Prometheus has no word for it.
    if (error.statusCode === 413) return sendJson(reply.code(413), apiErrorJson('bad_data', BODY_TOO_LARGE));
    const isTheirs = error.statusCode !== undefined && error.statusCode < 500;
    return sendApiError(reply, isTheirs ? 'bad_data' : 'internal', error.message);
  });
  server.setNotFoundHandler((_request, reply) => plainText(reply, 404, '404 page not found\n'));
  return server;
}

const UNREADABLE: Readonly<Record<string, readonly [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the headers of the request are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request did not come in whole in time'],
};

/** What is no HTTP, or comes too slowly, never gets as far as a route. */
function refuseUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  // Whoever does not close may not keep the connection: there are only so many.
  setTimeout(() => socket.destroy(), LINGER_MS);
  const [status, message] = UNREADABLE[error.code ?? ''] ?? [
    '400 Bad Request',
    'the request is no valid HTTP',
  ];
  const body = apiErrorJson('bad_data', message);
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

import compress from '@fastify/compress';
import cors from '@fastify/cors';
import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { ApiError, sendApiError } from './api-error.js';

/** Parameters of a query fit many times over. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
const METHODS = ['GET', 'OPTIONS', 'POST'];

/** A server with what all resources share: forms, compression, CORS, and errors in Prometheus' shape. */
export async function createServer(): Promise<FastifyInstance> {
  const server = fastify({
    bodyLimit: MAX_BODY_BYTES,
    logger: false,
    exposeHeadRoutes: true,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 1024 },
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => {
      done(null, new URLSearchParams(body as string));
    },
  );
  // Other bodies are not read, and not an error: their parameters just are not there.
  server.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume();
    payload.on('end', () => done(null, undefined));
  });
  await server.register(cors, {
    origin: '*',
    methods: METHODS,
    allowedHeaders: 'Accept, Authorization, Content-Type, Origin',
    exposedHeaders: 'Date',
    optionsSuccessStatus: 204,
    strictPreflight: false,
  });
  await server.register(compress, { encodings: ['gzip', 'deflate'], threshold: 0 });
  server.setErrorHandler((error: FastifyError | ApiError, _request, reply) => {
    if (error instanceof ApiError) return sendApiError(reply, error.errorType, error.message);
    const isTheirs = error.statusCode !== undefined && error.statusCode < 500;
    return sendApiError(reply, isTheirs ? 'bad_data' : 'internal', error.message);
  });
  server.setNotFoundHandler((_request, reply) =>
    reply.code(404).type('text/plain; charset=utf-8').send('404 page not found\n'),
  );
  return server;
}

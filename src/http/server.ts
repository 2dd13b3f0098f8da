import compress from '@fastify/compress';
import formbody from '@fastify/formbody';
import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { ApiError, sendApiError } from './api-error.js';
import { plainText } from './other-methods.js';
import { parseForm } from './parameters.js';

/** Parameters of a query fit many times over. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** A server with what all resources share: forms, compression, and errors in Prometheus' shape. */
export async function createServer(): Promise<FastifyInstance> {
  const server = fastify({
    bodyLimit: MAX_BODY_BYTES,
    logger: false,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 1024 },
  });
  server.removeAllContentTypeParsers();
  await server.register(formbody, { bodyLimit: MAX_BODY_BYTES, parser: parseForm });
  // Other bodies are not read, and not an error: their parameters just are not there.
  server.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume();
    payload.on('end', () => done(null, undefined));
  });
  await server.register(compress, { encodings: ['gzip', 'deflate'], threshold: 0 });
  server.setErrorHandler((error: FastifyError | ApiError, _request, reply) => {
    if (error instanceof ApiError) return sendApiError(reply, error.errorType, error.message);
    const isTheirs = error.statusCode !== undefined && error.statusCode < 500;
    return sendApiError(reply, isTheirs ? 'bad_data' : 'internal', error.message);
  });
  server.setNotFoundHandler((_request, reply) => plainText(reply, 404, '404 page not found\n'));
  return server;
}

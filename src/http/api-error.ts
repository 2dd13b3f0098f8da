import type { FastifyReply } from 'fastify';
import { sendJson } from './answer.js';

/** Prometheus' error types with the status they are answered with. */
const STATUS = {
  bad_data: 400,
  execution: 422,
  forbidden: 403,
  not_found: 404,
  timeout: 503,
  // Not Prometheus': it asks nobody else.
  bad_gateway: 502,
  internal: 500,
  unavailable: 500,
} as const;
export type ApiErrorType = keyof typeof STATUS;

/** An answer that is an error in Prometheus' shape. */
export class ApiError extends Error {
  readonly errorType: ApiErrorType;

  constructor(errorType: ApiErrorType, message: string) {
    super(message);
    this.errorType = errorType;
  }
}

export function badParameter(name: string, message: string): ApiError {
  return new ApiError('bad_data', `invalid parameter ${JSON.stringify(name)}: ${message}`);
}

export function sendApiError(reply: FastifyReply, errorType: ApiErrorType, message: string): FastifyReply {
  return sendJson(reply.code(STATUS[errorType]), apiErrorJson(errorType, message));
}

/** `{"status":"error","errorType":"…","error":"…"}`; unlike in labels, Go escapes `<`, `>` and `&` here. */
export function apiErrorJson(errorType: ApiErrorType, message: string): string {
  const error = JSON.stringify(message).replace(/[<>&\u2028\u2029]/g, spellOut);
  return `{"status":"error","errorType":"${errorType}","error":${error}}`;
}

function spellOut(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Why an endpoint gave no body to examine: the same words for `check metrics` and for the targets of a job. */
import { formatBytes, formatDurationMs } from '../util/units.js';
import { connectionFailure } from './connection-failures.js';
import type { Asker, Failure, FailureCause } from './failure-cause.js';
import type { Finding } from './finding.js';
import { redirectFailure } from './redirects.js';

/** Compressions that no scrape asks for, and none reads. Some targets say `utf-8` here, which harms nobody. */
export const UNASKED_ENCODINGS: readonly string[] = ['br', 'compress', 'deflate', 'x-gzip', 'zstd'];

export function failureOf(cause: FailureCause, asker: Asker): Failure {
  switch (cause.kind) {
    case 'status':
      return statusFailure(cause, asker);
    case 'encoding':
      return encodingFailure(cause.encoding);
    case 'gzip':
      return gzipFailure(cause.error);
    case 'size':
      return sizeFailure(cause.maxBytes, asker);
    case 'timeout':
      return timeoutFailure(cause.timeoutMs, asker);
    case 'cut':
      return cutFailure(cause.receivedBytes, cause.announcedBytes);
    case 'connection':
      return connectionFailure(cause.error, cause.isTls, asker);
  }
}

export function failureFinding(cause: FailureCause, asker: Asker): Finding {
  const { code, message, next } = failureOf(cause, asker);
  return { code, severity: 'error', message, next };
}

type StatusCause = Extract<FailureCause, { kind: 'status' }>;

const CREDENTIALS: Readonly<Record<Asker, string>> = {
  command: 'Give credentials: http://USER:PASSWORD@… or --header "Authorization: Bearer …".',
  job: 'Give credentials: basic_auth, authorization or oauth2 of the job.',
};

function statusFailure(cause: StatusCause, asker: Asker): Failure {
  const { status } = cause;
  const message = `HTTP status ${status} instead of metrics.`;
  if (status >= 300 && status < 400) return redirectFailure(cause, asker);
  if (status === 401) return { code: 'unauthorized', message, next: CREDENTIALS[asker] };
  if (status === 403)
    return {
      code: 'forbidden',
      message,
      next: 'These credentials, or this machine, may not read the metrics: ask whoever runs it.',
    };
  if (status === 404)
    return {
      code: 'not_found',
      message,
      next: `Check the path${asker === 'job' ? ' (metrics_path)' : ''}: /metrics is usual, Spring has /actuator/prometheus.`,
    };
  if (status === 406 || status === 415)
    return {
      code: 'not_acceptable',
      message,
      next: 'Let the endpoint ignore what it cannot write, and answer in the format that it has.',
      dependsOnFormat: true,
    };
  const next = 'Look at the log of the service, or of the proxy before it.';
  return { code: 'http_status', message, next, dependsOnFormat: true };
}

function encodingFailure(encoding: string): Failure {
  return {
    code: 'encoding_not_asked_for',
    message: `The answer is compressed by ${encoding} (Content-Encoding), which was not asked for: scrapes by exemplard and Prometheus fail.`,
    next: 'Answer with gzip or without compression, as Accept-Encoding says; often a proxy or a middleware before the service compresses.',
    dependsOnFormat: true,
  };
}

function gzipFailure(error: NodeJS.ErrnoException): Failure {
  const isCut = error.code === 'Z_BUF_ERROR';
  return {
    code: 'bad_encoding',
    message: isCut
      ? 'The answer is gzip, but cut short: its end is missing.'
      : `The answer says gzip, but is none: ${error.message}.`,
    next: isCut
      ? 'Let the service close its gzip writer before the answer ends, and look at what stands between here and the service.'
      : 'Look at what stands between here and the service.',
  };
}

function sizeFailure(maxBytes: number, asker: Asker): Failure {
  return {
    code: 'body_too_large',
    message: `The answer has ${formatBytes(maxBytes)} or more.`,
    next:
      asker === 'job'
        ? 'Raise body_size_limit of the job, or expose fewer metrics.'
        : 'Ask for fewer metrics: no scrape would take in so many.',
  };
}

function timeoutFailure(timeoutMs: number, asker: Asker): Failure {
  return {
    code: 'timeout',
    message: `No complete answer within ${formatDurationMs(timeoutMs)}.`,
    next:
      asker === 'job'
        ? 'Find out what makes the endpoint slow, or set a longer scrape_timeout for the job.'
        : 'Try a longer --timeout, and find out what makes the endpoint slow: scrapes have a timeout, too.',
  };
}

function cutFailure(receivedBytes: number, announcedBytes: number): Failure {
  return {
    code: 'connection_lost',
    message: `The answer is shorter than it says: the connection was closed after ${receivedBytes} of the ${announcedBytes} bytes of its Content-Length.`,
    next: 'Let the service count bytes, not characters, for Content-Length, and check that nothing between here and there cuts answers off.',
  };
}

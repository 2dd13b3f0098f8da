/** Names and values of headers that a user gives. */
import { HEADER_VALUE } from '../http-client/options.js';
import { quote } from './document.js';
import type { IssueReport, Position } from './issue.js';

/** Headers that are set for the user, or that only make sense between two hops (Prometheus' `reservedHeaders`). */
const RESERVED_HEADERS = new Set([
  'host',
  'content-encoding',
  'content-length',
  'content-type',
  'user-agent',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'www-authenticate',
  'accept-encoding',
  'x-prometheus-remote-write-version',
  'x-prometheus-remote-read-version',
  'x-prometheus-scrape-timeout-seconds',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-content-sha256',
]);
/** RFC 9110, section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/;

/** @param path of the map of headers */
export function checkHeaderName(name: string, at: Position, path: string, report: IssueReport): void {
  const lowerCase = name.toLowerCase();
  if (lowerCase === 'authorization')
    report.error(at, `${path} must not set ${quote(name)}; use basic_auth or authorization`);
  else if (RESERVED_HEADERS.has(lowerCase))
    report.error(at, `${path} must not set ${quote(name)}: it is set by exemplard`);
  else checkHeaderToken(name, at, path, report);
}

/** A name that may be any. */
export function checkHeaderToken(name: string, at: Position, path: string, report: IssueReport): void {
  if (!HEADER_NAME.test(name)) report.error(at, `${path}: ${quote(name)} is not a header name`);
}

/** The value itself is not shown: it may be a secret. */
export function checkHeaderValue(value: string, at: Position, what: string, report: IssueReport): void {
  if (!HEADER_VALUE.test(value))
    report.error(at, `${what} has a character that no header may have (a line break, or not ASCII)`);
}

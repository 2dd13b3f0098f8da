/** The `headers` of a `remote_write` block. */
import { quote } from './document.js';
import type { IssueReport, Position } from './issue.js';
import type { Located } from './value-type.js';

/** Headers that remote write sets itself, or that only make sense between two hops (Prometheus' `reservedHeaders`). */
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
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-content-sha256',
]);
/** RFC 9110, section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/;
/** RFC 9110, section 5.5; obs-text is left out, because it is sent as other bytes than it is written with. */
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

/** @param path of the block, for errors */
export function resolveHeaders(
  headers: Readonly<Record<string, Located<string>>>,
  path: string,
  report: IssueReport,
): Record<string, string> {
  for (const [name, { value, at }] of Object.entries(headers)) {
    checkHeaderName(name, at, `${path}.headers`, report);
    checkHeaderValue(value, at, `${path}.headers.${name}`, report);
  }
  return Object.fromEntries(Object.entries(headers).map(([name, { value }]) => [name, value]));
}

function checkHeaderName(name: string, at: Position, path: string, report: IssueReport): void {
  const lowerCase = name.toLowerCase();
  if (lowerCase === 'authorization')
    report.error(at, `${path} must not set ${quote(name)}; use basic_auth or authorization`);
  else if (RESERVED_HEADERS.has(lowerCase))
    report.error(at, `${path} must not set ${quote(name)}: remote write sets it`);
  else if (!HEADER_NAME.test(name)) report.error(at, `${path}: ${quote(name)} is not a header name`);
}

/** The value itself is not shown: it may be a secret. */
export function checkHeaderValue(value: string, at: Position, what: string, report: IssueReport): void {
  if (!HEADER_VALUE.test(value))
    report.error(at, `${what} has a character that no header may have (a line break, or not ASCII)`);
}

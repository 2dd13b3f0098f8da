/** The credentials of a `remote_write` block: from a block of keys, from files they name, or from the URL. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { RemoteWriteOptions } from '../forward/options.js';
import type { Labels } from '../model/labels.js';
import { quote } from './document.js';
import type { IssueReport, Position } from './issue.js';
import { checkHeaderValue } from './remote-write-headers.js';
import {
  AUTH_BLOCKS,
  type AUTHORIZATION_KEYS,
  type BASIC_AUTH_KEYS,
  type REMOTE_WRITE_KEYS,
} from './remote-write-keys.js';
import type { Section } from './table.js';

type RemoteWriteSection = Section<typeof REMOTE_WRITE_KEYS>;

export interface RemoteWriteContext {
  readonly externalLabels: Labels;
  /** Where the configuration file is: files it names are relative to it. */
  readonly directory: string;
  readonly report: IssueReport;
}

interface Credentials {
  readonly auth: RemoteWriteOptions['auth'];
  /** For schemes that are neither basic nor bearer. */
  readonly headers: Readonly<Record<string, string>>;
}

const NO_CREDENTIALS: Credentials = { auth: { type: 'none' }, headers: {} };

/** The URL returned holds no credentials. At most one kind of them is allowed. */
export function resolveCredentials(
  section: RemoteWriteSection,
  context: RemoteWriteContext,
): Credentials & { readonly url: string } {
  const { url, credentials } = splitUrl(section.values.url);
  refuseSecondAuthBlock(section, credentials !== undefined, context.report);
  return { url, ...(credentials ?? resolveAuthBlock(section, context)) };
}

/** A password in the URL becomes basic authentication, as in Go, and leaves the URL, which logs and metrics show. */
function splitUrl(url: string | undefined): { url: string; credentials: Credentials | undefined } {
  if (url === undefined) return { url: '', credentials: undefined };
  const parsed = new URL(url);
  if (parsed.username === '' && parsed.password === '') return { url, credentials: undefined };
  const [username, password] = [parsed.username, parsed.password].map(decodePercent) as [string, string];
  parsed.username = parsed.password = '';
  return { url: parsed.href, credentials: { auth: { type: 'basic', username, password }, headers: {} } };
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function refuseSecondAuthBlock(
  section: RemoteWriteSection,
  urlHasCredentials: boolean,
  report: IssueReport,
): void {
  const given = AUTH_BLOCKS.filter((key) => section.given(key));
  if (given.length + (urlHasCredentials ? 1 : 0) < 2) return;
  const named = [...(urlHasCredentials ? ['credentials in url'] : []), ...given].join(', ');
  report.error(
    section.at(given.at(-1)!),
    `${section.path} must have at most one kind of credentials, got ${named}`,
  );
}

function resolveAuthBlock(section: RemoteWriteSection, context: RemoteWriteContext): Credentials {
  const { basic_auth, authorization, bearer_token, bearer_token_file } = section.values;
  if (basic_auth !== undefined) return resolveBasicAuth(basic_auth, context);
  if (authorization !== undefined) return resolveAuthorization(authorization, context);
  if (bearer_token === undefined && bearer_token_file === undefined) return NO_CREDENTIALS;
  return bearer(headerSecret(section, 'bearer_token', context));
}

function resolveBasicAuth(
  section: Section<typeof BASIC_AUTH_KEYS>,
  context: RemoteWriteContext,
): Credentials {
  const username = secretOrFile(section, 'username', context);
  const password = secretOrFile(section, 'password', context);
  return { auth: { type: 'basic', username, password }, headers: {} };
}

function resolveAuthorization(
  section: Section<typeof AUTHORIZATION_KEYS>,
  context: RemoteWriteContext,
): Credentials {
  const scheme = section.values.type.trim();
  const credentials = headerSecret(section, 'credentials', context);
  if (/^bearer$/i.test(scheme)) return bearer(credentials);
  if (/^basic$/i.test(scheme)) {
    context.report.error(
      section.at('type'),
      `${section.path}.type must not be ${quote(scheme)}; use basic_auth instead`,
    );
  }
  checkHeaderValue(scheme, section.at('type'), `${section.path}.type`, context.report);
  return { auth: { type: 'none' }, headers: { Authorization: `${scheme} ${credentials}` } };
}

function bearer(credentials: string): Credentials {
  return { auth: { type: 'bearer', credentials }, headers: {} };
}

/** A section in which a key has a twin with `_file` at its end. */
interface SecretSection<Key extends string> {
  readonly path: string;
  readonly values: { readonly [Name in Key | `${Key}_file`]: string | undefined };
  at(key: Key | `${Key}_file`): Position;
}

/** A secret is given itself or by a file that holds it, whose surrounding white space does not count. */
function secretOrFile<Key extends string>(
  section: SecretSection<NoInfer<Key>>,
  key: Key,
  { directory, report }: RemoteWriteContext,
): string {
  const fileKey = `${key}_file` as const;
  const { [key]: inline, [fileKey]: file } = section.values;
  if (inline !== undefined && file !== undefined) {
    report.error(section.at(fileKey), `${section.path} must have at most one of ${key} and ${fileKey}`);
  }
  if (inline !== undefined || file === undefined) return inline ?? '';
  return readSecretFile(resolve(directory, file), section.at(fileKey), `${section.path}.${fileKey}`, report);
}

/** A secret that stands in a header as it is; basic authentication encodes its own. */
function headerSecret<Key extends string>(
  section: SecretSection<NoInfer<Key>>,
  key: Key,
  context: RemoteWriteContext,
): string {
  const value = secretOrFile(section, key, context);
  const at = section.at(section.values[key] === undefined ? `${key}_file` : key);
  checkHeaderValue(value, at, `${section.path}: ${key}`, context.report);
  return value;
}

function readSecretFile(path: string, at: Position, key: string, report: IssueReport): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    report.error(at, `${key} cannot be read: ${error instanceof Error ? error.message : error}`);
    return '';
  }
}

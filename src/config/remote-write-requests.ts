/** How the requests of a `remote_write` block are made: credentials may also stand in its URL, and headers beside it. */
import type { HeaderSecrets, HttpClientOptions } from '../http-client/options.js';
import { checkHeaderName, checkHeaderValue } from './headers.js';
import { type FileContext, resolveHttpClient } from './http-client-schema.js';
import type { IssueReport } from './issue.js';
import type { REMOTE_WRITE_KEYS } from './remote-write-keys.js';
import { socksProxyOf } from './socks-proxies.js';
import type { Section } from './table.js';
import { splitUrl } from './url-credentials.js';
import type { Located } from './value-type.js';

type RemoteWriteSection = Section<typeof REMOTE_WRITE_KEYS>;

const OTHER_AUTH_KEYS = ['sigv4', 'azuread', 'google_iam'] as const;

/** The URL returned holds no credentials. */
export function resolveRequests(
  section: RemoteWriteSection,
  context: FileContext,
): { readonly url: string; readonly httpClient: HttpClientOptions } {
  const socks = socksProxyOf(section);
  if (socks !== undefined)
    context.report.error(socks.at, `${socks.path} must be a URL that starts with http:// or https://: SOCKS proxies are not supported`); // biome-ignore format: one line
  const { url, auth } = splitUrl(section.values.url);
  const otherAuth = OTHER_AUTH_KEYS.filter((key) => section.given(key));
  const client = resolveHttpClient(section, context, [
    ...(auth === undefined ? [] : ['credentials in url']),
    ...otherAuth,
  ]);
  const headers = resolveHeaders(section.values.headers, section.path, context.report);
  return {
    url,
    httpClient: { ...client, auth: auth ?? client.auth, headers: { ...client.headers, ...headers } },
  };
}

/** The older way to give headers; each has one value. */
function resolveHeaders(
  headers: Readonly<Record<string, Located<string>>>,
  path: string,
  report: IssueReport,
): HeaderSecrets {
  const resolved = Object.entries(headers).map(([name, { value, at }]) => {
    checkHeaderName(name, at, `${path}.headers`, report);
    checkHeaderValue(value, at, `${path}.headers.${name}`, report);
    return [name, [{ text: value }]] as const;
  });
  return Object.fromEntries(resolved);
}

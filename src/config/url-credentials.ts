import type { AuthOptions } from '../http-client/options.js';
import { decodePercent } from '../util/percent.js';

/** A password in a URL becomes basic authentication, as in Go, and leaves the URL, which logs and metrics show. */
export function splitUrl(url: string | undefined): { url: string; auth: AuthOptions | undefined } {
  if (url === undefined) return { url: '', auth: undefined };
  const parsed = new URL(url);
  if (parsed.username === '' && parsed.password === '') return { url, auth: undefined };
  const username = { text: decodePercent(parsed.username) };
  const password = { text: decodePercent(parsed.password) };
  parsed.username = parsed.password = '';
  return { url: parsed.href, auth: { type: 'basic', username, password } };
}

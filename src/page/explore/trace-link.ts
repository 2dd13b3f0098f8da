import type { TraceLink } from '../api/answers.js';

// biome-ignore lint/suspicious/noTemplateCurlyInString: what users write in the configuration
const PLACEHOLDER = '${value}';
const PLACEHOLDER_IN_PATH = encodeURI(PLACEHOLDER);

/**
 * The address that a link leads to for a value; undefined where that would not be a web page. The value comes
 * from a target, which may say anything: it is only ever a part of the address, never its scheme.
 */
export function traceUrl(link: TraceLink, value: string): string | undefined {
  let encoded: string;
  try {
    encoded = encodeURIComponent(value);
  } catch {
    return undefined;
  }
  // By a function: in a plain text, `$&` and the like would have a meaning.
  const address = link.url.replaceAll(PLACEHOLDER, () => encoded);
  try {
    const built = new URL(address);
    const meant = new URL(link.url);
    const isWeb = built.protocol === 'https:' || built.protocol === 'http:';
    // Between slashes, `.` and `..` are a way to elsewhere, and no encoding makes text of them.
    const isThere =
      built.origin === meant.origin &&
      built.pathname === meant.pathname.replaceAll(PLACEHOLDER_IN_PATH, () => encoded);
    return isWeb && isThere ? address : undefined;
  } catch {
    return undefined;
  }
}

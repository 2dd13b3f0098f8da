/**
 * What must not be shown, by its name: one rule for the configuration, flags, targets, logs and metrics. A name is taken
 * apart into words, so that `api_key`, `X-Api-Key` and `apiKey` are secrets, and `monkey` and `keyspace` are not.
 */

export const MASK = '<secret>';

/** Also what is written together: `apikey`, `accesstoken`, `secretaccesskey`. */
const SECRET_WORD = 'key|token|o?auth|authorization|sig|signature|secret|pass|passwd|password|passphrase|passcode|pwd|cred|credential|cookie|jwt|bearer|hmac'; // biome-ignore format: one list
const WORD_BEFORE = 'api|x|access|client|private|session|refresh|id|user|my|app|shared|master|sub|subscription|security|csrf|xsrf|db|basic|proxy'; // biome-ignore format: one list
const SECRET_PART = new RegExp(`^(?:${WORD_BEFORE}|${SECRET_WORD})*(?:${SECRET_WORD})s?$`);

/** Whether what has this name, a query parameter or a header, is likely to be a secret. */
export function isSecretName(name: string): boolean {
  return [...wordsOf(name), ...name.split(/[^a-z]+/i)].some((word) => SECRET_PART.test(word.toLowerCase()));
}

/** `accessToken2` → access, Token; `APIKey` → API, Key. */
function wordsOf(name: string): string[] {
  return name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? [];
}

const USER_INFO_PASSWORD = /^([a-z][a-z\d+.-]*:\/\/[^/?#@:]*):[^/?#]*@/i;
/** A user without a password is, where URLs are given to programs, nearly always a token. */
const USER_INFO_ALONE = /^([a-z][a-z\d+.-]*:\/\/)[^/?#@:]+@/i;
const PARAMETER = /([?&])([^=&#?]*)=([^&#]+)/g;

/** `http://user:<secret>@host/?api_key=<secret>`; what is no URL stays. */
export function redactUrl(url: string): string {
  if (!url.includes('://')) return url;
  return redactQuery(url.replace(USER_INFO_PASSWORD, `$1:${MASK}@`).replace(USER_INFO_ALONE, `$1${MASK}@`));
}

/** The part of a URL from its path on: `/metrics?token=<secret>`. URLs that are values of its query are redacted, too. */
export function redactQuery(text: string): string {
  return text.replace(PARAMETER, (written, before: string, name: string, value: string) => {
    if (isSecretName(decode(name))) return `${before}${name}=${MASK}`;
    const inner = decode(value);
    // Decoded it must be a URL of its own, and not the rest of this one.
    if (inner === value) return written;
    const shown = redactUrl(inner);
    return shown === inner ? written : `${before}${name}=${encodeURIComponent(shown)}`;
  });
}

/** What is not encoded soundly is a name as it stands. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

import { HEADER_VALUE, type HeaderSecrets } from './options.js';
import type { SecretFiles } from './secret-files.js';

/** @throws Error that does not show the value: it may be a secret */
export function checkHeaderValue(value: string, what: string): string {
  if (HEADER_VALUE.test(value)) return value;
  throw new Error(`${what} has a character that no header may have (a line break, or not ASCII)`);
}

/**
 * Headers as they are to be sent now.
 * @param key that gives them, for errors
 * @throws Error when a file cannot be read, or holds what no header may
 */
export async function readHeaders(
  headers: HeaderSecrets,
  key: string,
  files: SecretFiles,
): Promise<Record<string, string | string[]>> {
  const read: Record<string, string | string[]> = {};
  for (const [name, secrets] of Object.entries(headers)) {
    const what = `${key}.${name}`;
    const values = await Promise.all(secrets.map((secret) => files.read(secret, what)));
    for (const value of values) checkHeaderValue(value, what);
    read[name.toLowerCase()] = values.length === 1 ? values[0]! : values;
  }
  return read;
}

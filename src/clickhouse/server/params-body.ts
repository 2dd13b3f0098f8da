import { randomBytes } from 'node:crypto';
import type { Param } from '../database.js';
import { paramText } from '../param-text.js';

/** Longer ones do not go in the URL: proxies take some 8 KiB of it. */
const MAX_URL_LENGTH = 4_096;

export type ParamTexts = Readonly<Record<string, string>>;

export function paramTexts(params: Readonly<Record<string, Param>>): ParamTexts {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, paramText(value)]));
}

/** Whether they fit a URL, in which a backslash takes three characters. */
export function fitUrl(texts: ParamTexts): boolean {
  let length = 0;
  for (const [name, text] of Object.entries(texts)) length += name.length + encodeURIComponent(text).length;
  return length <= MAX_URL_LENGTH;
}

export interface Body {
  readonly contentType: string;
  readonly bytes: Buffer;
}

/** As a form, the other way in which ClickHouse takes parameters (RFC 7578). They hold nothing but ASCII. */
export function formBody(texts: ParamTexts): Body {
  const boundary = `exemplard-${randomBytes(16).toString('hex')}`;
  const parts = Object.entries(texts).map(
    ([name, text]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="param_${name}"\r\n\r\n${text}\r\n`,
  );
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    bytes: Buffer.from(`${parts.join('')}--${boundary}--\r\n`),
  };
}

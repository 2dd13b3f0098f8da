const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/gs;

/**
 * The text of a PromQL string: in single or double quotes with Go's escapes, or in backticks as it stands.
 * @returns undefined when an escape is none of Go's
 */
export function unquote(quoted: string): string | undefined {
  const body = quoted.slice(1, -1);
  if (quoted[0] === '`' || !body.includes('\\')) return body;
  let isValid = true;
  const bytes: Buffer[] = [];
  let from = 0;
  for (const match of body.matchAll(ESCAPE)) {
    bytes.push(Buffer.from(body.slice(from, match.index)));
    from = match.index + match[0].length;
    const [, hex, short, long, octal, simple] = match;
    const codePoint = Number.parseInt(short ?? long ?? '', 16);
    if (hex !== undefined) bytes.push(Buffer.of(Number.parseInt(hex, 16)));
    else if (octal !== undefined) bytes.push(Buffer.of(Number.parseInt(octal, 8)));
    else if (simple !== undefined && SIMPLE_ESCAPES[simple] !== undefined)
      bytes.push(Buffer.from(SIMPLE_ESCAPES[simple]));
    else if (codePoint <= 0x10ffff) bytes.push(Buffer.from(String.fromCodePoint(codePoint)));
    else isValid = false;
  }
  bytes.push(Buffer.from(body.slice(from)));
  return isValid ? Buffer.concat(bytes).toString('utf8') : undefined;
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/gs;

/**
 * The text of a PromQL string: in single or double quotes with Go's escapes, or in backticks as it stands.
 * @returns undefined when an escape is none of Go's
 */
export function unquote(quoted: string): string | undefined {
  const body = quoted.slice(1, -1);
  const quote = quoted[0]!;
  if (quote === '`' || !body.includes('\\')) return body;
  let isValid = true;
  const bytes: Buffer[] = [];
  let from = 0;
  for (const match of body.matchAll(ESCAPE)) {
    bytes.push(Buffer.from(body.slice(from, match.index)));
    from = match.index + match[0].length;
    const [, hex, short, long, octal, simple] = match;
    const unit = hex !== undefined ? Number.parseInt(hex, 16) : Number.parseInt(octal ?? '', 8);
    const codePoint = Number.parseInt(short ?? long ?? '', 16);
    // Of the quotes, only the one that the text is in needs escaping, and only it may be.
    const character = simple === quote ? quote : SIMPLE_ESCAPES[simple ?? ''];
    if (unit <= 0xff) bytes.push(Buffer.of(unit));
    else if (character !== undefined) bytes.push(Buffer.from(character));
    else if (isCharacter(codePoint)) bytes.push(Buffer.from(String.fromCodePoint(codePoint)));
    else isValid = false;
  }
  bytes.push(Buffer.from(body.slice(from)));
  return isValid ? Buffer.concat(bytes).toString('utf8') : undefined;
}

/** NaN and halves of surrogate pairs are none. */
function isCharacter(codePoint: number): boolean {
  return codePoint < 0xd800 || (codePoint > 0xdfff && codePoint <= 0x10ffff);
}

/**
 * A label name as it stands in a path: names that are no plain identifiers come as `U__`, with `__` for `_` and
 * `_hex_` for any other character. What is not well-formed is taken as it stands, as Prometheus does.
 */
export function unescapeName(text: string): string {
  if (!text.startsWith('U__')) return text;
  const escaped = text.slice('U__'.length);
  if (!/^(?:[a-zA-Z0-9:]|__|_[0-9a-fA-F]{1,6}_)*$/.test(escaped)) return text;
  let isValid = true;
  const name = escaped.replace(/__|_([0-9a-fA-F]+)_/g, (_, hex: string | undefined) => {
    const codePoint = hex === undefined ? 0x5f : Number.parseInt(hex, 16);
    const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
    if (codePoint > 0x10ffff || isSurrogate) isValid = false;
    return isValid ? String.fromCodePoint(codePoint) : '';
  });
  return isValid ? name : text;
}

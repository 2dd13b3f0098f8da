/** Which headers go through. */

/** RFC 9110, section 7.6.1: these are about one connection. `Expect` has been answered here already. */
const HOP_BY_HOP = new Set([
  'connection',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Names in turn with values, as Node.js and undici give them. */
export type RawHeaders = readonly string[];

export type Header = readonly [name: string, value: string];

/** Those that are for the end of the line: spelling, order and repetition stay. */
export function* passedHeaders(raw: RawHeaders): Generator<Header> {
  const named = new Set(HOP_BY_HOP);
  for (const [name, value] of pairs(raw)) {
    if (name.toLowerCase() !== 'connection') continue;
    for (const each of value.split(',')) named.add(each.trim().toLowerCase());
  }
  for (const [name, value] of pairs(raw)) if (!named.has(name.toLowerCase())) yield [name, value];
}

/** By name; of a name that comes again, a list. */
export function headerRecord(headers: Iterable<Header>): Record<string, string | string[]> {
  const byName = new Map<string, { name: string; values: string[] }>();
  for (const [name, value] of headers) {
    const known = byName.get(name.toLowerCase());
    if (known === undefined) byName.set(name.toLowerCase(), { name, values: [value] });
    else known.values.push(value);
  }
  return Object.fromEntries(
    [...byName.values()].map(({ name, values }) => [name, values.length === 1 ? values[0]! : values]),
  );
}

function* pairs(raw: RawHeaders): Generator<Header> {
  for (let i = 0; i + 1 < raw.length; i += 2) yield [raw[i]!, raw[i + 1]!];
}

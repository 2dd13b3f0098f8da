import type { ListenAddress } from '../http/listeners.js';

/** `HOST:PORT`, `:PORT` (every address), `[IPV6]:PORT`. @returns undefined when it is none of these */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]*):(\d{1,5})$/.exec(text);
  if (match === null || Number(match[2]) > 65_535) return undefined;
  const host = match[1]!.replace(/^\[|\]$/g, '');
  return { host: host === '' ? '::' : host, port: Number(match[2]) };
}

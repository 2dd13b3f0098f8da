import { readBoundedFile } from './bounded-file.js';

const MAX_BYTES = 64 * 1024;
const DEFAULT_NDOTS = 1;
const MAX_NDOTS = 15;

/** What the system's resolver configuration says of names that are not complete. */
export interface SearchOptions {
  readonly domains: readonly string[];
  /** A name with so many dots is looked up as it stands first. */
  readonly ndots: number;
}

/** @throws Error when the file is there and cannot be read */
export async function readSearchOptions(path = '/etc/resolv.conf'): Promise<SearchOptions> {
  let domains: readonly string[] = [];
  let ndots = DEFAULT_NDOTS;
  const text = (await readBoundedFile(path, MAX_BYTES))?.toString('latin1') ?? '';
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'search') domains = words;
    else if (keyword === 'domain') domains = words.slice(0, 1);
    else if (keyword === 'options') {
      const given = words.find((word) => /^ndots:\d+$/.test(word))?.slice('ndots:'.length);
      if (given !== undefined) ndots = Math.min(MAX_NDOTS, Number(given));
    }
  }
  return { domains, ndots };
}

/** The names that a name may stand for, in the order in which they are looked up. */
export function candidates(name: string, { domains, ndots }: SearchOptions): string[] {
  if (name.endsWith('.')) return [name];
  const searched = domains.map((domain) => `${name}.${domain}`);
  const dots = name.split('.').length - 1;
  return dots >= ndots ? [name, ...searched] : [...searched, name];
}

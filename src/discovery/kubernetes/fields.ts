/** What an API server sends, read without trust: what is not there, or is something else, counts as empty, as in Go. */

export type Fields = Readonly<Record<string, unknown>>;

const NONE: Fields = Object.freeze({});

export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : NONE;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function optionalNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** A number as a label shows it; none is 0. */
export function portText(value: unknown): string {
  return String(optionalNumber(value) ?? 0);
}

export function texts(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(fields(value)).filter((entry) => typeof entry[1] === 'string');
  return Object.fromEntries(entries as [string, string][]);
}

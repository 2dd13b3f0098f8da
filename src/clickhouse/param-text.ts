/** Parameters as engines read them: `param_<name>` of HTTP, and of SET. */
import type { Param } from './database.js';

/** Strings are escaped as in TSV, and quoted within arrays. Lone surrogates, which UTF-8 cannot say, become U+FFFD. */
export function paramText(value: Param): string {
  if (typeof value === 'string') return escaped(value);
  if (typeof value !== 'object') return numberText(value);
  const items = value.map((item) => (typeof item === 'string' ? `'${escaped(item)}'` : numberText(item)));
  return `[${items.join(',')}]`;
}

/** The same as the literal of `SET param_… = '…'`. */
export function paramLiteral(value: Param): string {
  return `'${escaped(paramText(value))}'`;
}

function numberText(value: number | bigint): string {
  if (typeof value === 'bigint' || Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'nan';
  return value > 0 ? 'inf' : '-inf';
}

/**
 * Whatever is not a letter or a digit of ASCII is written as the numbers of its bytes, so that no value can end the
 * literal it stands in, and the text needs no trust.
 */
function escaped(text: string): string {
  return text.toWellFormed().replace(/[^A-Za-z0-9]/gu, (character) => {
    let bytes = '';
    for (const byte of Buffer.from(character)) bytes += `\\x${byte.toString(16).padStart(2, '0')}`;
    return bytes;
  });
}

import type { Param } from '../database.js';

/**
 * A parameter as the literal of `SET param_… = '…'`. Whatever is not a letter or a digit of ASCII is written as the
 * number of its byte, so that no value can end the literal, and the text needs no trust.
 *
 * Twice: the literal's value is the parameter's text, in which a string is escaped as in TSV.
 */
export function paramLiteral(value: Param): string {
  return `'${escaped(paramText(value))}'`;
}

function paramText(value: Param): string {
  if (typeof value === 'string') return escaped(value);
  if (typeof value !== 'object') return numberText(value);
  const items = value.map((item) => (typeof item === 'string' ? `'${escaped(item)}'` : numberText(item)));
  return `[${items.join(',')}]`;
}

function numberText(value: number | bigint): string {
  if (typeof value === 'bigint' || Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'nan';
  return value > 0 ? 'inf' : '-inf';
}

function escaped(text: string): string {
  return text.toWellFormed().replace(/[^A-Za-z0-9]/gu, (character) => {
    let bytes = '';
    for (const byte of Buffer.from(character)) bytes += `\\x${byte.toString(16).padStart(2, '0')}`;
    return bytes;
  });
}

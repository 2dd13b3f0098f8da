import type { TextFormat } from '../exposition/format-text.js';

/** How `body[0, length)` is most likely meant, where no header says so. */
export function guessTextFormat(body: Buffer, length: number): TextFormat {
  return body.subarray(Math.max(0, length - 8), length).includes('# EOF') ? 'openmetrics' : 'text';
}

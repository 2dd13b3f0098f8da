import type { ExpositionFormat } from './content-type.js';
import { openMetrics2ToText } from './openmetrics2-text.js';
import { type HistogramOptions, protobufToText } from './protobuf-text.js';

/** The formats that everything behind knows. */
export type TextFormat = 'openmetrics' | 'text';

export interface FormatText {
  /** In `[0, length)` the text: the body itself, where it is in such a format. */
  readonly body: Buffer;
  readonly length: number;
  readonly textFormat: TextFormat;
  /** Exemplars that the format does not allow, and that the text has not any more. */
  readonly refusedExemplars: number;
}

/**
 * An exposition in any format as text that is read line by line.
 * @throws {Error} when it is protobuf, and malformed
 */
export function textOfFormat(
  format: ExpositionFormat,
  body: Buffer,
  length: number,
  histograms: HistogramOptions,
): FormatText {
  if (format === 'protobuf') {
    const text = protobufToText(body, length, histograms);
    return { body: text, length: text.length, textFormat: 'openmetrics', refusedExemplars: 0 };
  }
  if (format === 'openmetrics2') {
    const { text, refusedExemplars } = openMetrics2ToText(body, length, histograms);
    return { body: text, length: text.length, textFormat: 'openmetrics', refusedExemplars };
  }
  return { body, length, textFormat: format, refusedExemplars: 0 };
}

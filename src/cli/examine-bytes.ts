import type { Examination } from '../doctor/examination.js';
import { examine } from '../doctor/examine.js';
import type { Finding } from '../doctor/finding.js';
import { protobufFinding } from '../doctor/lookalikes.js';
import type { ExpositionFormat } from '../exposition/content-type.js';
import { textOfFormat } from '../exposition/format-text.js';

export const METRICS_FORMATS: readonly ExpositionFormat[] = [
  'openmetrics',
  'openmetrics2',
  'text',
  'protobuf',
];

export interface Origin {
  /** The header of the answer; undefined where there is none. */
  readonly contentType: string | undefined;
  /** Whether the bytes are the answer of an endpoint. */
  readonly isAnswer: boolean;
}

/** Everything that histograms have. */
const HISTOGRAMS = { scrapeNativeHistograms: true, alwaysScrapeClassicHistograms: true };

/** Examines a body in any of the formats. @returns a failure where it cannot be read at all */
export function examineBytes(
  bytes: Buffer,
  format: ExpositionFormat,
  origin: Origin,
  nowMs: number,
): Examination | { readonly failure: Finding } {
  try {
    const text = textOfFormat(format, bytes, bytes.length, HISTOGRAMS);
    return examine({ ...text, format, ...origin }, { nowMs });
  } catch (error) {
    return { failure: protobufFinding(bytes, bytes.length, origin.isAnswer, error as Error) };
  }
}

import type { Examination } from '../doctor/examination.js';
import { examine } from '../doctor/examine.js';
import type { Finding } from '../doctor/finding.js';
import type { ExpositionFormat } from '../exposition/content-type.js';
import { protobufToText } from '../exposition/protobuf-text.js';

export const METRICS_FORMATS = ['openmetrics', 'text', 'protobuf'] as const;
export type MetricsFormat = (typeof METRICS_FORMATS)[number];

export interface Origin {
  /** The header of the answer; undefined where there is none. */
  readonly contentType: string | undefined;
  /** Whether the bytes are the answer of an endpoint. */
  readonly isAnswer: boolean;
}

/** Everything that the protobuf exposition has. */
const PROTOBUF_OPTIONS = { scrapeNativeHistograms: true, alwaysScrapeClassicHistograms: true };

/** Examines a body in any of the formats. @returns a failure where it cannot be read at all */
export function examineBytes(
  bytes: Buffer,
  format: ExpositionFormat,
  origin: Origin,
  nowMs: number,
): Examination | { readonly failure: Finding } {
  let body = bytes;
  if (format === 'protobuf') {
    try {
      body = protobufToText(bytes, bytes.length, PROTOBUF_OPTIONS);
    } catch (error) {
      return { failure: notProtobuf(error as Error) };
    }
  }
  const textFormat = format === 'text' ? 'text' : 'openmetrics';
  return examine({ body, length: body.length, textFormat, format, ...origin }, { nowMs });
}

function notProtobuf({ message }: Error): Finding {
  return {
    code: 'protobuf_unreadable',
    severity: 'error',
    message: `This is no protobuf exposition: ${message}.`,
    next: 'The format is io.prometheus.client.MetricFamily, each message behind its length; ask for another format if the library writes it otherwise.',
  };
}

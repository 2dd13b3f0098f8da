import type { ExpositionFormat } from '../exposition/content-type.js';
import type { ExpositionError } from '../exposition/verdict/exposition-error.js';
import type { FamilyFigures } from './body-scan.js';
import type { Finding } from './finding.js';
import type { Library } from './libraries.js';

/** One answer of an endpoint, or a file. */
export interface Exposition {
  /** In `[0, length)` text; of a protobuf answer the text that stands for it. */
  readonly body: Buffer;
  readonly length: number;
  /** How the text is written. */
  readonly textFormat: 'openmetrics' | 'text';
  /** In which format it came. */
  readonly format: ExpositionFormat;
  /** The header; undefined where none came, or there was no endpoint. */
  readonly contentType: string | undefined;
  /** Whether it is the answer of an endpoint: then the lack of a header is of interest. */
  readonly isAnswer: boolean;
}

export type Verdict = 'accept' | 'reject';

/** All that the doctor has to say about one exposition. */
export interface Examination {
  readonly format: ExpositionFormat;
  readonly contentType: string | undefined;
  readonly bytes: number;
  /** Undefined for protobuf and OpenMetrics 2.0: the text that stands for them is ours. Prometheus', of the whole answer. */
  readonly verdicts: { readonly openmetrics: Verdict; readonly prometheus: Verdict } | undefined;
  /** Why the specification's verdict is what it is; of the classic format, why Prometheus' is. */
  readonly errors: readonly ExpositionError[];
  /** In the body. */
  readonly prometheusError: ExpositionError | undefined;
  /** Why Prometheus 3 fails the scrape before it looks at the body; undefined where it does look. */
  readonly contentTypeError: string | undefined;
  readonly library: Library | undefined;
  readonly seriesLines: number;
  /** All that stand there, those that are refused included. */
  readonly exemplars: number;
  /** Those with exemplars first. */
  readonly families: readonly FamilyFigures[];
  /** Of those that are not listed. */
  readonly familiesLeftOut: number;
  readonly findings: readonly Finding[];
}

export type BodyVerdict = Pick<Examination, 'verdicts' | 'errors' | 'prometheusError'>;

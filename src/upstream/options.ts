import type { HttpClientOptions } from '../http-client/options.js';

/** The Prometheus, or what answers like one, that exemplard stands before. Plain data, so that two can be compared. */
export interface UpstreamOptions {
  /** Without credentials; a path in it comes before every path that is passed on. */
  readonly url: string;
  /** Whether its own exemplars are answered, too. */
  readonly mergeExemplars: boolean;
  /** Whether series are answered with `external_labels`, as the series behind have them. */
  readonly addExternalLabels: boolean;
  readonly client: HttpClientOptions;
}

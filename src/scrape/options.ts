import type { DiscoveryOptions } from '../discovery/options.js';
import { DEFAULT_HTTP_CLIENT, type HttpClientOptions } from '../http-client/options.js';
import { TRACE_ID_LABELS } from '../model/exemplar.js';
import type { RelabelRule } from '../model/relabel.js';

export const SCRAPE_PROTOCOLS = [
  'PrometheusProto',
  'OpenMetricsText2.0.0',
  'OpenMetricsText0.0.1',
  'OpenMetricsText1.0.0',
  'PrometheusText0.0.4',
  'PrometheusText1.0.0',
] as const;
export type ScrapeProtocol = (typeof SCRAPE_PROTOCOLS)[number];

export const DEFAULT_SCRAPE_PROTOCOLS: readonly ScrapeProtocol[] = [
  'OpenMetricsText1.0.0',
  'OpenMetricsText0.0.1',
  'PrometheusText1.0.0',
  'PrometheusText0.0.4',
];

export const NAME_VALIDATION_SCHEMES = ['utf8', 'legacy'] as const;
export type NameValidationScheme = (typeof NAME_VALIDATION_SCHEMES)[number];

export const NAME_ESCAPING_SCHEMES = ['allow-utf-8', 'underscores', 'dots', 'values'] as const;
export type NameEscapingScheme = (typeof NAME_ESCAPING_SCHEMES)[number];

export const EXEMPLAR_VALIDATIONS = ['exemplars', 'full'] as const;
export type ExemplarValidation = (typeof EXEMPLAR_VALIDATIONS)[number];

export const TEXT_EXEMPLARS = ['ignore', 'read'] as const;
export type TextExemplars = (typeof TEXT_EXEMPLARS)[number];

/** One scrape job, all defaults resolved. Keys of `scrape_configs`; 0 means no limit. Plain data, so that two can be compared. */
export interface ScrapeJobOptions {
  readonly jobName: string;
  readonly discovery: readonly DiscoveryOptions[];
  /** Of a target that relabelling gives no other. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly metricsPath: string;
  readonly scheme: string;
  readonly params: Readonly<Record<string, readonly string[]>>;
  readonly httpClient: HttpClientOptions;
  readonly enableCompression: boolean;
  /** The preferred first; undefined: DEFAULT_SCRAPE_PROTOCOLS, behind protobuf where native histograms are wanted. */
  readonly scrapeProtocols: readonly ScrapeProtocol[] | undefined;
  readonly fallbackScrapeProtocol: ScrapeProtocol | undefined;
  /** A label of the target may say otherwise, also of the next two. */
  readonly scrapeNativeHistograms: boolean;
  /** Whether classic buckets of a histogram that is native, too, are read. */
  readonly alwaysScrapeClassicHistograms: boolean;
  /** Whether exemplars of classic buckets go to the series of the whole histogram. */
  readonly convertClassicHistogramsToNhcb: boolean;
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  readonly nameValidation: NameValidationScheme;
  readonly nameEscaping: NameEscapingScheme;
  readonly exemplarValidation: ExemplarValidation;
  /** What becomes of exemplars in a format that has none. */
  readonly textExemplars: TextExemplars;
  /** Labels of an exemplar that may hold the id of a trace, the likeliest first. */
  readonly traceIdLabels: readonly string[];
  readonly relabelRules: readonly RelabelRule[];
  readonly metricRelabelRules: readonly RelabelRule[];
  readonly exemplarRelabelRules: readonly RelabelRule[];
  /** Bytes after inflating; a body of exactly so many already fails. */
  readonly bodySizeLimitBytes: number;
  readonly sampleLimit: number;
  readonly targetLimit: number;
  readonly labelLimit: number;
  readonly labelNameLengthLimitBytes: number;
  readonly labelValueLengthLimitBytes: number;
  /** How many targets that relabelling dropped are shown. */
  readonly keepDroppedTargets: number;
}

export const DEFAULT_SCRAPE_JOB: Omit<ScrapeJobOptions, 'jobName'> = {
  discovery: [],
  intervalMs: 60_000,
  timeoutMs: 10_000,
  metricsPath: '/metrics',
  scheme: 'http',
  params: {},
  httpClient: DEFAULT_HTTP_CLIENT,
  enableCompression: true,
  scrapeProtocols: undefined,
  fallbackScrapeProtocol: undefined,
  scrapeNativeHistograms: false,
  alwaysScrapeClassicHistograms: false,
  convertClassicHistogramsToNhcb: false,
  honorLabels: false,
  honorTimestamps: true,
  nameValidation: 'utf8',
  nameEscaping: 'allow-utf-8',
  exemplarValidation: 'exemplars',
  textExemplars: 'ignore',
  traceIdLabels: TRACE_ID_LABELS,
  relabelRules: [],
  metricRelabelRules: [],
  exemplarRelabelRules: [],
  bodySizeLimitBytes: 0,
  sampleLimit: 0,
  targetLimit: 0,
  labelLimit: 0,
  labelNameLengthLimitBytes: 0,
  labelValueLengthLimitBytes: 0,
  keepDroppedTargets: 0,
};

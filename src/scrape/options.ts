import type { TargetGroup } from '../model/target-group.js';

export const SCRAPE_PROTOCOLS = [
  'PrometheusProto',
  'OpenMetricsText0.0.1',
  'OpenMetricsText1.0.0',
  'PrometheusText0.0.4',
  'PrometheusText1.0.0',
] as const;
export type ScrapeProtocol = (typeof SCRAPE_PROTOCOLS)[number];

/** One scrape job, all defaults resolved. Keys of `scrape_configs`; 0 means no limit. */
export interface ScrapeJobOptions {
  readonly jobName: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly metricsPath: string;
  readonly scheme: 'http' | 'https';
  readonly params: Readonly<Record<string, readonly string[]>>;
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  readonly enableCompression: boolean;
  readonly followRedirects: boolean;
  readonly scrapeProtocols: readonly ScrapeProtocol[];
  readonly fallbackScrapeProtocol: ScrapeProtocol | undefined;
  /** Bytes after inflating; a body of exactly so many already fails. */
  readonly bodySizeLimitBytes: number;
  readonly sampleLimit: number;
  readonly labelLimit: number;
  readonly labelNameLengthLimitBytes: number;
  readonly labelValueLengthLimitBytes: number;
  readonly staticConfigs: readonly TargetGroup[];
}

export const DEFAULT_SCRAPE_JOB: Omit<ScrapeJobOptions, 'jobName'> = {
  intervalMs: 60_000,
  timeoutMs: 10_000,
  metricsPath: '/metrics',
  scheme: 'http',
  params: {},
  honorLabels: false,
  honorTimestamps: true,
  enableCompression: true,
  followRedirects: true,
  scrapeProtocols: [
    'OpenMetricsText1.0.0',
    'OpenMetricsText0.0.1',
    'PrometheusText1.0.0',
    'PrometheusText0.0.4',
  ],
  fallbackScrapeProtocol: undefined,
  bodySizeLimitBytes: 0,
  sampleLimit: 0,
  labelLimit: 0,
  labelNameLengthLimitBytes: 0,
  labelValueLengthLimitBytes: 0,
  staticConfigs: [],
};

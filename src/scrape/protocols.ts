import type { ExpositionFormat } from '../exposition/content-type.js';
import {
  DEFAULT_SCRAPE_PROTOCOLS,
  type NameEscapingScheme,
  SCRAPE_PROTOCOLS,
  type ScrapeProtocol,
} from './options.js';

const MEDIA_RANGES: Readonly<Record<ScrapeProtocol, string>> = {
  PrometheusProto:
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
  'OpenMetricsText2.0.0': 'application/openmetrics-text;version=2.0.0',
  'OpenMetricsText0.0.1': 'application/openmetrics-text;version=0.0.1',
  'OpenMetricsText1.0.0': 'application/openmetrics-text;version=1.0.0',
  'PrometheusText0.0.4': 'text/plain;version=0.0.4',
  'PrometheusText1.0.0': 'text/plain;version=1.0.0',
};

export const PROTOCOL_FORMATS: Readonly<Record<ScrapeProtocol, ExpositionFormat>> = {
  PrometheusProto: 'protobuf',
  'OpenMetricsText2.0.0': 'openmetrics2',
  'OpenMetricsText0.0.1': 'openmetrics',
  'OpenMetricsText1.0.0': 'openmetrics',
  'PrometheusText0.0.4': 'text',
  'PrometheusText1.0.0': 'text',
};

const WITH_ESCAPING: readonly ScrapeProtocol[] = [
  'OpenMetricsText2.0.0',
  'OpenMetricsText1.0.0',
  'PrometheusText1.0.0',
];

/** @param given undefined: what Prometheus asks for by itself, protobuf first where native histograms are wanted */
export function protocolsOf(
  given: readonly ScrapeProtocol[] | undefined,
  scrapesNativeHistograms: boolean,
): readonly ScrapeProtocol[] {
  if (given !== undefined) return given;
  return scrapesNativeHistograms
    ? ['PrometheusProto', ...DEFAULT_SCRAPE_PROTOCOLS]
    : DEFAULT_SCRAPE_PROTOCOLS;
}

/** Protocols that Prometheus knows, all but that of OpenMetrics 2.0. */
const KNOWN_TO_PROMETHEUS = SCRAPE_PROTOCOLS.length - 1;

/** Prometheus' header: one more than the protocols it knows, falling by a tenth each, `* / *` last. */
export function acceptHeader(
  protocols: readonly ScrapeProtocol[],
  escaping: NameEscapingScheme = 'allow-utf-8',
): string {
  let weight = Math.max(KNOWN_TO_PROMETHEUS, protocols.length) + 1;
  const ranges = protocols.map((protocol) => {
    const parameter = WITH_ESCAPING.includes(protocol) ? `;escaping=${escaping}` : '';
    return `${MEDIA_RANGES[protocol]}${parameter};q=0.${weight--}`;
  });
  return [...ranges, `*/*;q=0.${weight}`].join(',');
}

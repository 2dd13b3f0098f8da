import type { ExpositionFormat } from '../exposition/content-type.js';
import { SCRAPE_PROTOCOLS, type ScrapeProtocol } from './options.js';

const MEDIA_RANGES: Readonly<Record<ScrapeProtocol, string>> = {
  PrometheusProto:
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
  'OpenMetricsText0.0.1': 'application/openmetrics-text;version=0.0.1',
  'OpenMetricsText1.0.0': 'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8',
  'PrometheusText0.0.4': 'text/plain;version=0.0.4',
  'PrometheusText1.0.0': 'text/plain;version=1.0.0;escaping=allow-utf-8',
};

export const PROTOCOL_FORMATS: Readonly<Record<ScrapeProtocol, ExpositionFormat>> = {
  PrometheusProto: 'protobuf',
  'OpenMetricsText0.0.1': 'openmetrics',
  'OpenMetricsText1.0.0': 'openmetrics',
  'PrometheusText0.0.4': 'text',
  'PrometheusText1.0.0': 'text',
};

/** Prometheus' header: one more than the known protocols, falling by a tenth each, `* / *` last. */
export function acceptHeader(protocols: readonly ScrapeProtocol[]): string {
  let weight = SCRAPE_PROTOCOLS.length + 1;
  const ranges = protocols.map((protocol) => `${MEDIA_RANGES[protocol]};q=0.${weight--}`);
  return [...ranges, `*/*;q=0.${weight}`].join(',');
}

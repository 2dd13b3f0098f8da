import type { FamilyFigures } from './body-scan.js';

/** What is known of a client library and its exemplars. */
export interface Library {
  readonly name: string;
  /** How it comes to answer in OpenMetrics; one clause. */
  readonly openmetrics: string;
  /** How it comes to show exemplars; one clause. */
  readonly exemplars: string;
}

const LIBRARIES = {
  go: {
    name: 'client_golang',
    openmetrics: 'serve with promhttp.HandlerFor and HandlerOpts{EnableOpenMetrics: true}',
    exemplars: 'call ObserveWithExemplar or AddWithExemplar with a trace_id of a sampled span',
  },
  java: {
    name: 'client_java or Micrometer',
    openmetrics:
      'use client_java 0.10 or Micrometer 1.9 and newer, which answer by the Accept header, and let no proxy or filter remove it',
    exemplars:
      'have a tracer that the library finds (in Micrometer a SpanContext bean); only sampled spans give exemplars, and each is shown for about a minute',
  },
  python: {
    name: 'client_python',
    openmetrics:
      'use client_python 0.8 or newer with start_http_server, make_wsgi_app or make_asgi_app, or choose the encoder by the Accept header with exposition.choose_encoder',
    exemplars:
      "pass exemplar={'trace_id': …} to inc() or observe(); in multiprocess mode (PROMETHEUS_MULTIPROC_DIR) the library drops all exemplars",
  },
  node: {
    name: 'prom-client',
    openmetrics:
      'call register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE) (prom-client 15 and newer): it does not ask what the scraper accepts',
    exemplars:
      'create the metric with enableExemplars: true and pass exemplarLabels; metrics gathered from cluster workers have none',
  },
  dotnet: {
    name: 'prometheus-net',
    openmetrics: 'use prometheus-net 8, which answers by the Accept header',
    exemplars: 'have an Activity with an id in W3C format, or pass an Exemplar to Inc or Observe',
  },
  otel: {
    name: 'an OpenTelemetry Prometheus exporter',
    openmetrics:
      'switch OpenMetrics on (in the Collector: enable_open_metrics: true of the prometheus exporter; in Go: promhttp with EnableOpenMetrics)',
    exemplars:
      'leave the exemplar filter at trace_based (OTEL_METRICS_EXEMPLAR_FILTER), and record inside of sampled spans, passing the context',
  },
  otelJs: {
    name: 'the Prometheus exporter of opentelemetry-js',
    openmetrics: 'use another way: this exporter only writes the classic format',
    exemplars: 'use another way: this exporter has no exemplars, such as OTLP to a Collector or prom-client',
  },
} as const satisfies Readonly<Record<string, Library>>;

/** For an endpoint that does not show who wrote it. */
export const ALL_LIBRARIES: readonly Library[] = Object.values(LIBRARIES);

/** The first that fits says it: OpenTelemetry's exporters may stand beside metrics of the runtime. */
const SIGNS: readonly (readonly [RegExp, Library])[] = [
  [/^(target_info|otel_scope_info|target|otel_scope)$/, LIBRARIES.otel],
  [/^(jvm_|jvm$|logback_events|tomcat_|hikaricp_)/, LIBRARIES.java],
  [/^(python_info|python_gc_|python$)/, LIBRARIES.python],
  [/^nodejs_/, LIBRARIES.node],
  [/^(dotnet_|prometheus_net_|system_runtime_|microsoft_aspnetcore_)/, LIBRARIES.dotnet],
  [/^(go_|promhttp_)/, LIBRARIES.go],
];

/**
 * Which library wrote a body, by the metrics that it adds of itself.
 * @param isNodeTelemetry whether `target_info` names opentelemetry-js
 */
export function libraryOf(families: Iterable<FamilyFigures>, isNodeTelemetry: boolean): Library | undefined {
  if (isNodeTelemetry) return LIBRARIES.otelJs;
  let best = SIGNS.length;
  for (const { name } of families) {
    const sign = SIGNS.findIndex(([pattern]) => pattern.test(name));
    if (sign >= 0 && sign < best) best = sign;
  }
  return SIGNS[best]?.[1];
}

export const isGo = (library: Library | undefined): boolean => library === LIBRARIES.go;

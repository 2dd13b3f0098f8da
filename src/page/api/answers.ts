/** What the API answers, as far as the page reads it. */

export type Labels = Readonly<Record<string, string>>;

/** `status/page` */
export interface PageStatus {
  readonly version: string;
  readonly traceLinks: readonly TraceLink[];
  readonly traceIdLabels: readonly string[];
  readonly hasUpstream: boolean;
  readonly archive: 'none' | 'chdb' | 'clickhouse';
  readonly isLifecycleEnabled: boolean;
  readonly retentionTargetSeconds: number | null;
  readonly perSeries: number;
  /** Of one answer. */
  readonly maxExemplars: number;
  readonly isSampling: boolean;
}

/** `web.trace_links`: where a trace can be opened. */
export interface TraceLink {
  /** The exemplar label that has the id. */
  readonly label: string;
  readonly name: string;
  /** With `${value}` where the id goes. */
  readonly url: string;
}

/** Where an exemplar was found; `upstream`: in the Prometheus behind, where exemplars are merged. */
export type Source = 'memory' | 'archive' | 'upstream';

/** One of `query_exemplars` with `show_source=true`, and of the live stream, which has no source. */
export interface SeriesExemplars {
  readonly seriesLabels: Labels;
  readonly exemplars: readonly {
    readonly labels: Labels;
    readonly value: string;
    /** Seconds. */
    readonly timestamp: number;
    readonly source?: Source;
  }[];
}

/** `retention`, the groups alone. */
export interface RetentionAnswer {
  readonly groups: readonly {
    readonly labels: Labels;
    readonly series: number;
    readonly exemplars: number;
    /** Seconds. */
    readonly newest: number | null;
  }[];
}

/** `metadata`: by metric family. */
export type MetadataAnswer = Readonly<
  Record<string, readonly { readonly type: string; readonly help: string; readonly unit: string }[]>
>;

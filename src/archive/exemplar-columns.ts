/**
 * The labels of an exemplar as columns, and back, byte for byte.
 *
 *     {traceID="4BF9…", span_id="00f0…", tier="gold"}
 *       trace_id     4bf9…            to be joined by
 *       trace_label                   empty: the text is another, see ex_labels
 *       span_id      00f0…
 *       span_label   span_id          the label with just that text
 *       ex_labels    {traceID: "4BF9…", tier: "gold"}
 */
import { type Labels, labelsFromPairs, NO_LABELS } from '../model/labels.js';
import { canonicalSpanId, canonicalTraceId, SPAN_ID_LABELS } from '../model/trace-id.js';

interface IdColumns {
  readonly trace_id: string;
  readonly span_id: string;
  readonly trace_label: string;
  readonly span_label: string;
}

/** As they are written. */
export interface ExemplarColumns extends IdColumns {
  readonly others: Labels;
}

/** As they are read. */
export interface ExemplarRow extends IdColumns {
  readonly ex_labels: Readonly<Record<string, string>>;
}

/** @param traceIdLabels names of labels that hold the id of a trace; the first that an exemplar has counts */
export function exemplarColumns(labels: Labels, traceIdLabels: readonly string[]): ExemplarColumns {
  const traceAt = indexOfFirst(labels, traceIdLabels);
  const spanAt = indexOfFirst(labels, SPAN_ID_LABELS);
  const trace = traceAt < 0 ? '' : labels[traceAt + 1]!;
  const span = spanAt < 0 ? '' : labels[spanAt + 1]!;
  const trace_id = canonicalTraceId(trace);
  const span_id = canonicalSpanId(span);
  const isTraceKept = traceAt >= 0 && trace_id === trace;
  const isSpanKept = spanAt >= 0 && span_id === span;
  return {
    trace_id,
    span_id,
    trace_label: isTraceKept ? labels[traceAt]! : '',
    span_label: isSpanKept ? labels[spanAt]! : '',
    others: without(labels, isTraceKept ? traceAt : -1, isSpanKept ? spanAt : -1),
  };
}

export function labelsOfColumns(row: ExemplarRow): Labels {
  const { trace_id, span_id, trace_label, span_label, ex_labels } = row;
  const pairs = Object.entries(ex_labels);
  if (trace_label !== '') pairs.push([trace_label, trace_id]);
  if (span_label !== '') pairs.push([span_label, span_id]);
  return labelsFromPairs(pairs);
}

function without(labels: Labels, one: number, other: number): Labels {
  if (labels.length === 2 * (Number(one >= 0) + Number(other >= 0))) return NO_LABELS;
  return labels.filter((_, i) => (i & ~1) !== one && (i & ~1) !== other);
}

function indexOfFirst(labels: Labels, names: readonly string[]): number {
  for (const name of names) {
    for (let i = 0; i < labels.length; i += 2) if (labels[i] === name) return i;
  }
  return -1;
}

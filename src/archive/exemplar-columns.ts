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
import { type Labels, labelPairs, labelsFromPairs } from '../model/labels.js';
import { canonicalSpanId, canonicalTraceId, SPAN_ID_LABELS } from '../model/trace-id.js';

export interface ExemplarColumns {
  readonly trace_id: string;
  readonly span_id: string;
  readonly trace_label: string;
  readonly span_label: string;
  readonly ex_labels: Readonly<Record<string, string>>;
}

/** @param traceIdLabels names of labels that hold the id of a trace; the first that an exemplar has counts */
export function exemplarColumns(labels: Labels, traceIdLabels: readonly string[]): ExemplarColumns {
  const traceName = firstNamed(labels, traceIdLabels);
  const spanName = firstNamed(labels, SPAN_ID_LABELS);
  const columns = { trace_id: '', span_id: '', trace_label: '', span_label: '' };
  const rest: [string, string][] = [];
  for (const [name, value] of labelPairs(labels)) {
    if (name === traceName) {
      columns.trace_id = canonicalTraceId(value);
      if (columns.trace_id === value) columns.trace_label = name;
      else rest.push([name, value]);
    } else if (name === spanName) {
      columns.span_id = canonicalSpanId(value);
      if (columns.span_id === value) columns.span_label = name;
      else rest.push([name, value]);
    } else rest.push([name, value]);
  }
  return { ...columns, ex_labels: rest.length === 0 ? NO_OTHERS : Object.fromEntries(rest) };
}

export function labelsOfColumns(columns: ExemplarColumns): Labels {
  const { trace_id, span_id, trace_label, span_label, ex_labels } = columns;
  const pairs = Object.entries(ex_labels);
  if (trace_label !== '') pairs.push([trace_label, trace_id]);
  if (span_label !== '') pairs.push([span_label, span_id]);
  return labelsFromPairs(pairs);
}

const NO_OTHERS = {};

function firstNamed(labels: Labels, names: readonly string[]): string | undefined {
  return names.find((name) => {
    for (let i = 0; i < labels.length; i += 2) if (labels[i] === name) return true;
    return false;
  });
}

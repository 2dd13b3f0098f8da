/** What may be wrong with the id of a trace, most likely first. */
export const TRACE_ID_PROBLEMS = {
  hex16: 'have 16 hex digits, a 64-bit id',
  upperCase: 'have upper-case hex digits',
  dashes: 'have dashes, as a UUID does',
  zeros: 'are all zeros, which is no trace',
  decimal: 'are decimal numbers',
  other: 'are not 32 hex digits',
} as const;
export type TraceIdProblem = keyof typeof TRACE_ID_PROBLEMS;

/** What is wrong with an id that W3C Trace Context would have as 32 lower-case hex digits; undefined for a sound one. */
export function traceIdProblem(id: string): TraceIdProblem | undefined {
  if (/^0+$/.test(id)) return 'zeros';
  if (/^[0-9a-f]{32}$/.test(id)) return undefined;
  if (/^[0-9a-fA-F]{32}$/.test(id)) return 'upperCase';
  if (/^[0-9a-fA-F]{16}$/.test(id)) return 'hex16';
  if (/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/.test(id)) return 'dashes';
  return /^\d{1,39}$/.test(id) ? 'decimal' : 'other';
}

export const TRACE_ID_NEXT: Readonly<Record<TraceIdProblem, string>> = {
  hex16:
    'Write the whole 128-bit id, zeros on the left where the tracer has 64 bits: some trace stores find nothing by the short form.',
  upperCase: 'Write ids in lower case: trace stores compare them letter by letter.',
  dashes: 'Write the id without dashes.',
  zeros: 'Attach an exemplar only where a span is being recorded.',
  decimal: 'Write the id in hex as the tracer does, not as a number: Datadog, for one, has both forms.',
  other: 'Write the id as the tracer sends it, 32 lower-case hex digits.',
};

/** Whether a label that Grafana's link does not match still looks like the id of a trace. */
export function looksLikeTraceId(label: string): boolean {
  const letters = label.toLowerCase().replace(/[^a-z0-9]/g, '');
  return letters.endsWith('traceid') || ['traceparent', 'trace', 'tid'].includes(letters);
}

/** Whether a label, of an exemplar that has no id of a trace, tells that one was meant. */
export function hintsAtTrace(label: string, value: string): boolean {
  const problem = traceIdProblem(value);
  return /span_?id$/i.test(label) || (problem !== 'other' && problem !== 'decimal' && problem !== 'zeros');
}

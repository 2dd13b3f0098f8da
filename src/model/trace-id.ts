/** Ids of traces and spans are written in many ways; joined and compared they are in one. */
export const SPAN_ID_LABELS: readonly string[] = ['span_id', 'spanID', 'SpanID', 'spanId'];

const TRACE_ID_DIGITS = 32;
const SPAN_ID_DIGITS = 16;
const CANONICAL_TRACE_ID = /^[0-9a-f]{32}$/;
const CANONICAL_SPAN_ID = /^[0-9a-f]{16}$/;

/** 32 lower-case hex digits: without dashes, and with the zeros in front that some leave out. Other text stays what it is. */
export function canonicalTraceId(text: string): string {
  return CANONICAL_TRACE_ID.test(text) ? text : canonicalId(text, TRACE_ID_DIGITS);
}

/** The same with 16 digits. */
export function canonicalSpanId(text: string): string {
  return CANONICAL_SPAN_ID.test(text) ? text : canonicalId(text, SPAN_ID_DIGITS);
}

function canonicalId(text: string, digits: number): string {
  const hex = text.replaceAll('-', '').toLowerCase();
  return /^[0-9a-f]+$/.test(hex) && hex.length <= digits ? hex.padStart(digits, '0') : text;
}

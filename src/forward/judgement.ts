/**
 * What a receiver's answer means for the request it answers: rules of Prometheus' sender, and of the remote write
 * 2.0 specification where the answer says what was written.
 */

import type { Encoder } from './encode.js';
import type { Answer, Written } from './endpoint.js';

/** What a request carries. */
export interface Load {
  readonly samples: number;
  readonly exemplars: number;
}

export type Judgement =
  | {
      readonly kind: 'delivered';
      /** As far as the receiver says; everything where it says nothing. */
      readonly written: Load;
      /** Why the rest was not: where the answer is an error, and yet something was written. */
      readonly complaint?: { readonly error: string; readonly status: number };
    }
  /** None of it was written, because of what is in it; a part of it may pass. */
  | { readonly kind: 'refused'; readonly error: string; readonly status: number }
  | { readonly kind: 'retry'; readonly error: string; readonly status?: number; readonly waitMs?: number }
  /** The receiver does not know this message. */
  | { readonly kind: 'unknown message'; readonly error: string; readonly status: number }
  | { readonly kind: 'final'; readonly error: string; readonly status: number };

export interface JudgingRules {
  readonly message: Encoder['message'];
  readonly retryOnHttp429: boolean;
  readonly nowMs: number;
}

export function judge(answer: Answer, sent: Load, rules: JudgingRules): Judgement {
  const { status } = answer;
  if (status >= 200 && status < 300) return judgeSuccess(answer, sent, rules);
  const error = `HTTP ${status}${answer.body === '' ? '' : `: ${answer.body}`}`;
  if (status >= 500 || (status === 429 && rules.retryOnHttp429)) {
    const waitMs = parseRetryAfter(answer.retryAfter, rules.nowMs);
    return { kind: 'retry', error, status, ...(waitMs === undefined ? {} : { waitMs }) };
  }
  if (status === 415) return { kind: 'unknown message', error, status };
  // 400 for bad content; 409 from Thanos; 413 for too much of it.
  if (status !== 400 && status !== 409 && status !== 413) return { kind: 'final', error, status };
  return judgeRefusal(answer, error, sent, rules);
}

/**
 * In 2.0, what is good in a request is written although the answer is an error, and the counts say how much. To send it
 * in parts, as 1.0 asks for, would find nothing more that can be written, and of several exemplars of a series make all
 * but the newest look out of order.
 */
function judgeRefusal(
  { status, written }: Answer,
  error: string,
  sent: Load,
  { message }: JudgingRules,
): Judgement {
  const load = writtenOf(written, sent);
  const isPartial = message !== 'prometheus.WriteRequest' && load.samples + load.exemplars > 0;
  if (!isPartial) return { kind: 'refused', error, status };
  return { kind: 'delivered', written: load, complaint: { error, status } };
}

/**
 * A receiver of 1.0 that does not look at the Content-Type finds a valid but empty request in one of 2.0, and is
 * content with that. It shows by what it does not say, or, having been given samples, by having written nothing.
 * Exemplars alone may well be written nowhere by one that understood: it knows none of their series.
 */
function judgeSuccess({ status, written }: Answer, sent: Load, { message }: JudgingRules): Judgement {
  if (message === 'prometheus.WriteRequest') return { kind: 'delivered', written: sent };
  const load = writtenOf(written, sent);
  const wroteNothing = load.samples === 0 && load.exemplars === 0;
  if (!saysWritten(written) || (wroteNothing && sent.samples > 0)) {
    const error = `HTTP ${status}, but the receiver does not say that it wrote anything: it probably knows remote write 1.0 only (protobuf_message: prometheus.WriteRequest)`;
    return { kind: 'unknown message', error, status };
  }
  return { kind: 'delivered', written: load };
}

function saysWritten(written: Written): boolean {
  return written.samples !== undefined || written.histograms !== undefined || written.exemplars !== undefined;
}

/** A count that is missing beside others is 0. A receiver cannot have written more than there was. */
function writtenOf(written: Written, sent: Load): Load {
  return {
    samples: Math.min(written.samples ?? 0, sent.samples),
    exemplars: Math.min(written.exemplars ?? 0, sent.exemplars),
  };
}

/** A receiver that asks to be left alone for days has a wrong clock, or would be asked again by nobody. */
export const MAX_RETRY_AFTER_MS = 10 * 60_000;

/** Seconds or an HTTP date → wait in milliseconds, within bounds; undefined when absent, past or unreadable. */
export function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return waitMs > 0 ? Math.min(waitMs, MAX_RETRY_AFTER_MS) : undefined;
}

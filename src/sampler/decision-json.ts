import { type Decision, formatCursor, type PlacedDecision } from './decisions.js';

/** A decision as everyone outside sees it. Times in seconds since 1970. */
interface DecisionJson {
  readonly traceId: string;
  readonly job: string;
  readonly reasons: readonly string[];
  /** The part of all ids that was picked by chance as this one; null: not by chance. */
  readonly rate: number | null;
  readonly group: Readonly<Record<string, string>>;
  readonly groups: number;
  readonly service: string;
  /** Of the exemplar; null where JSON has no number for it. */
  readonly value: number | null;
  /** When the exemplar was recorded; null: not known. */
  readonly time: number | null;
  readonly window: { readonly start: number; readonly end: number };
  readonly found: boolean;
  readonly note?: string;
  readonly decidedAt: number;
}

function decisionJson(decision: Decision): DecisionJson {
  const { traceId, job, reasons, rate, groupLabels, groupIds, service, value, refMs, found, note } = decision;
  return {
    traceId,
    job,
    reasons,
    rate: rate === 0 ? null : rate,
    group: groupLabels,
    groups: groupIds.length,
    service,
    value: Number.isFinite(value) ? value : null,
    time: refMs === 0 ? null : refMs / 1000,
    window: {
      start: decision.windowStartMs / 1000,
      end: (decision.windowStartMs + decision.windowMs) / 1000,
    },
    found,
    ...(note === '' ? {} : { note }),
    decidedAt: decision.decidedAtMs / 1000,
  };
}

/** For whoever goes on reading behind it. */
export function placedJson(decision: PlacedDecision) {
  return { ...decisionJson(decision), cursor: formatCursor(decision.cursor) };
}

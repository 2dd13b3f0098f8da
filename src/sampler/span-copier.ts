/** The spans of decided traces, from source to kept table, as far as the day's budget goes. */
import type { Decision } from './decisions.js';
import type { BudgetOptions } from './options.js';
import { type SpanBudget, withinBudget } from './span-budget.js';
import { copyChunks, type SpanStore, type SpanTimes, type TraceSpans } from './spans.js';

export interface Copied {
  readonly spans: number;
  /** Traces of which there are spans in the source that were not kept before. */
  readonly withSpans: ReadonlySet<string>;
  readonly isBudgetExhausted: boolean;
  /** Traces that have more spans than one may have. */
  readonly tooLarge: number;
}

/**
 * @param copyName tells this pass from others over the same traces
 * @throws {DatabaseError} a part may have been copied; the next pass copies the rest
 */
export async function copySpans(
  decisions: readonly Decision[],
  spans: SpanStore,
  budget: SpanBudget,
  { spansPerTrace }: Pick<BudgetOptions, 'spansPerTrace'>,
  copyName: string,
): Promise<Copied> {
  const uncopied = await spans.uncopied(
    decisions.map(({ traceId }) => traceId),
    timesOf(decisions),
  );
  const byTrace = new Map(uncopied.map((each) => [each.traceId, each]));
  // In the order of the decisions, which is that of their importance.
  const inOrder = decisions.flatMap(({ traceId }): TraceSpans[] => {
    const trace = byTrace.get(traceId);
    return trace === undefined ? [] : [trace];
  });
  const fitting = inOrder.filter((trace) => trace.spans <= spansPerTrace);
  const { taken, isExhausted } = withinBudget(fitting, fitting.length === 0 ? 0 : await budget.left());
  let copied = 0;
  const refs = new Map(decisions.map((decision) => [decision.traceId, decision]));
  for (const chunk of copyChunks(taken)) {
    await budget.reserve(copyName, chunk);
    const ofChunk = chunk.map(({ traceId }) => refs.get(traceId)!);
    await spans.copy(
      chunk.map(({ traceId }) => traceId),
      timesOf(ofChunk),
    );
    copied += chunk.reduce((sum, each) => sum + each.spans, 0);
  }
  return {
    spans: copied,
    withSpans: new Set(byTrace.keys()),
    isBudgetExhausted: isExhausted,
    tooLarge: inOrder.length - fitting.length,
  };
}

/** From the first of their exemplars to the last. */
export function timesOf(decisions: readonly Pick<Decision, 'refMs'>[]): SpanTimes {
  let fromMs = Number.POSITIVE_INFINITY;
  let toMs = Number.NEGATIVE_INFINITY;
  for (const { refMs } of decisions) {
    fromMs = Math.min(fromMs, refMs);
    toMs = Math.max(toMs, refMs);
  }
  return fromMs <= toMs ? { fromMs, toMs } : { fromMs: 0, toMs: 0 };
}

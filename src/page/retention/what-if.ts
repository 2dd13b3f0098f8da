/** What larger or smaller rings would remember, and take. Rates are those of the last hour. */
import { counted, formatCount } from '../format/number.js';
import type { RetentionAnswer, RetentionGroup } from './answer.js';

/**
 * Exemplars a second of the series of a group that turns over fastest, worked out of the forecast. Slots and seconds say
 * it in two ways: those for the target are rounded up, and rings may be kept from holding `perSeries`. So either is too
 * high, if anything. 0 where none receives anything.
 */
export function highestRate(
  { forecast }: Pick<RetentionGroup, 'forecast'>,
  perSeries: number,
  targetSeconds: number,
): number {
  const { perSeriesForTarget, steadyWindowSeconds } = forecast;
  if (perSeriesForTarget === null || steadyWindowSeconds === null) return 0;
  const forTarget = Math.max(0, perSeriesForTarget - 1) / targetSeconds;
  return steadyWindowSeconds > 0 ? Math.min((perSeries - 1) / steadyWindowSeconds, forTarget) : forTarget;
}

/** Seconds that a ring of so many slots remembers at that rate; undefined: nothing comes, so nothing goes. */
export function windowOf(perSeries: number, perSecond: number): number | undefined {
  return perSecond === 0 ? undefined : Math.max(0, perSeries - 1) / perSecond;
}

/** The target to ask the server with, so that its forecast is for rings of that size; undefined: it takes none like it. */
export function targetFor(perSeries: number, perSecond: number): number | undefined {
  const seconds = windowOf(perSeries, perSecond);
  const isTaken = seconds !== undefined && seconds >= 0.001 && seconds * 1000 <= Number.MAX_SAFE_INTEGER;
  return isTaken ? seconds : undefined;
}

export interface Advice {
  /** Whole sentences. */
  readonly text: readonly string[];
  /** For the configuration file; undefined where it is fine as it is. */
  readonly snippet: string | undefined;
}

/** In plain words what to change, so that the rings of `total` remember the target. */
export function adviceFor(
  total: RetentionGroup,
  limits: RetentionAnswer['limits'],
  target: { readonly seconds: number; readonly text: string; readonly isConfigured: boolean },
  size: (bytes: number) => string,
): Advice {
  const { perSeriesForTarget, bytesForTarget } = total.forecast;
  if (
    perSeriesForTarget === null ||
    bytesForTarget === null ||
    highestRate(total, limits.perSeries, target.seconds) === 0
  )
    return {
      text: ['No series has received exemplars lately, so there is nothing to lose.'],
      snippet: undefined,
    };
  const changes: string[] = [];
  const text: string[] = [];
  if (perSeriesForTarget > limits.perSeries) {
    changes.push(`    per_series: ${perSeriesForTarget}`);
    text.push(
      `Rings have ${counted(limits.perSeries, 'slot')}; the busiest series needs ${formatCount(perSeriesForTarget)} to remember ${target.text}.`,
    );
  }
  const perSeries = Math.max(perSeriesForTarget, limits.perSeries);
  const exemplars = total.series * perSeries;
  if (exemplars > limits.maxExemplars) {
    changes.push(`    max_exemplars: ${exemplars}`);
    text.push(
      `Were all rings full, there would be ${counted(exemplars, 'exemplar')}; the limit is ${formatCount(limits.maxExemplars)}.`,
    );
  }
  if (bytesForTarget > limits.maxBytes) {
    changes.push(`    max_bytes: ${size(bytesForTarget)}`);
    text.push('That takes more memory than exemplard may use now.');
  }
  if (changes.length === 0)
    return {
      text: [`All rings remember ${target.text}, or will once they have filled.`],
      snippet: undefined,
    };
  const retention = target.isConfigured ? '' : `\nretention_target: ${target.text}`;
  return { text, snippet: `storage:\n  exemplars:\n${changes.join('\n')}${retention}\n` };
}

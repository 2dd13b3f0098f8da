/** What larger or smaller rings would remember, and take. Rates are those of the last hour. */
import type { RetentionAnswer, RetentionGroup } from './answer.js';

/**
 * Exemplars a second of the series of a group that turns over fastest, worked out of the forecast: so many slots for so
 * many seconds. 0 where none receives anything.
 */
export function highestRate({ forecast }: RetentionGroup, targetSeconds: number): number {
  if (forecast.perSeriesForTarget === null) return 0;
  return Math.max(0, forecast.perSeriesForTarget - 1) / targetSeconds;
}

/** Seconds that a ring of so many slots remembers at that rate; undefined: nothing comes, so nothing goes. */
export function windowOf(perSeries: number, perSecond: number): number | undefined {
  return perSecond === 0 ? undefined : Math.max(0, perSeries - 1) / perSecond;
}

/** The target to ask the server with, so that its forecast is for rings of that size. */
export function targetFor(perSeries: number, perSecond: number): number | undefined {
  const seconds = windowOf(perSeries, perSecond);
  return seconds === undefined || seconds < 0.001 ? undefined : seconds;
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
  if (perSeriesForTarget === null || bytesForTarget === null || highestRate(total, target.seconds) === 0)
    return {
      text: ['No series has received exemplars lately, so there is nothing to lose.'],
      snippet: undefined,
    };
  const changes: string[] = [];
  const text: string[] = [];
  if (perSeriesForTarget > limits.perSeries) {
    changes.push(`    per_series: ${perSeriesForTarget}`);
    text.push(
      `Rings have ${limits.perSeries} slots; the busiest series needs ${perSeriesForTarget} to remember ${target.text}.`,
    );
  }
  const perSeries = Math.max(perSeriesForTarget, limits.perSeries);
  const exemplars = total.series * perSeries;
  if (exemplars > limits.maxExemplars) {
    changes.push(`    max_exemplars: ${exemplars}`);
    text.push(
      `Were all rings full, there would be ${exemplars} exemplars; the limit is ${limits.maxExemplars}.`,
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

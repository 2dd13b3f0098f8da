/**
 * External labels, as if every series had them: a query that was made for a Prometheus' remote storage names them, and the
 * rings and the archive keep series as they were scraped. A label of the series itself wins, as in remote write.
 */
import { type Labels, labelPairs, mergeLabels } from '../model/labels.js';
import { createMatcher, type Matcher } from '../model/matcher.js';
import { PromqlError } from './expression.js';

/** @returns the labels of a series with those external ones that it lacks */
export function withExternalLabels(labels: Labels, external: Labels): Labels {
  return mergeLabels(labels, external);
}

/**
 * Selectors over series as they are kept, that select the same as `selectors` over series with external labels.
 * @throws {PromqlError} for what cannot be said so
 */
export function overKeptSeries(
  selectors: readonly (readonly Matcher[])[],
  external: Labels,
): readonly (readonly Matcher[])[] {
  const values = new Map(labelPairs(external));
  if (values.size === 0) return selectors;
  return selectors.map((matchers) =>
    matchers.flatMap((matcher) => {
      const value = values.get(matcher.name);
      return value === undefined ? [matcher] : overKeptLabel(matcher, value);
    }),
  );
}

/** A series without the label counts as one that has the external value. */
function overKeptLabel(matcher: Matcher, external: string): Matcher[] {
  const { type, name, value } = matcher;
  if (!matcher.matches(external)) return [matcher, createMatcher('!=', name, '')];
  if (matcher.matches('')) return [matcher];
  if (type === '=') return [createMatcher('=~', name, `|${escapeRegex(value)}`)];
  if (type === '=~') return [createMatcher('=~', name, `|(?:${value})`)];
  if (type === '!=') return [];
  throw new PromqlError(`${name}!~${JSON.stringify(value)} cannot be asked for of an external label`);
}

function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

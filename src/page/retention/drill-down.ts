/** The way down: from all to jobs, to their metrics, to the series of these, and to the exemplars of one. */
import type { Labels } from '../api/answers.js';
import { hasMatcher, matcherText, withMatcher } from '../explore/promql.js';
import { rangeParameters, USUAL_RANGES } from '../explore/time-range.js';
import type { RetentionGroup } from './answer.js';

/** The grouping under another; undefined under a series, where there are only exemplars. */
export function groupingBelow(by: string): string | undefined {
  switch (by) {
    case 'total':
      return 'job';
    case 'metric':
      return 'series';
    case 'series':
      return undefined;
    default:
      return 'metric';
  }
}

/** Selects a group; empty for all series. */
export function selectorOf(labels: Labels): string {
  const matchers = Object.entries(labels).map(([name, value]) => matcherText(name, '=', value));
  if (matchers.length === 0) return '';
  // What has no such label is selected by something else: a selector has to name something.
  const isNothing = Object.values(labels).every((value) => value === '');
  return `{${[...matchers, ...(isNothing ? ['__name__!=""'] : [])].join(', ')}}`;
}

/** Both selectors in one: the server takes a list of them for "any of", not for "all of". */
export function narrowed(match: string, labels: Labels): string {
  if (match === '') return selectorOf(labels);
  return Object.entries(labels).reduce((selector, [name, value]) => {
    const filter = { name, operator: '=', value } as const;
    return hasMatcher(selector, filter) ? selector : withMatcher(selector, filter);
  }, match);
}

/** Where the exemplars of a series are seen, all that its ring holds. */
export function exploreLink({ labels, oldest }: RetentionGroup, nowSeconds: number): string {
  const age = oldest === null ? 0 : nowSeconds - oldest;
  const { seconds } = USUAL_RANGES.find((usual) => usual.seconds > Math.max(age, 900)) ?? {
    seconds: 86_400 * Math.ceil(age / 86_400),
  };
  const parameters = new URLSearchParams({ query: selectorOf(labels) });
  for (const [name, value] of rangeParameters({ kind: 'last', seconds })) parameters.set(name, value);
  return `#/explore?${parameters}`;
}

import t from 'tap';
import { labelsFromRecord, labelValue, NO_LABELS } from '../../src/model/labels.js';
import { createMatcher, type Matcher } from '../../src/model/matcher.js';
import { PromqlError } from '../../src/query/expression.js';
import { overKeptSeries, withExternalLabels } from '../../src/query/external-labels.js';
import fc from '../support/properties.js';

const matches = (matchers: readonly Matcher[], labels: readonly string[]) =>
  matchers.every((matcher) => matcher.matches(labelValue(labels, matcher.name)));

const value = fc.constantFrom('', 'a', 'b', 'a.b', 'aab');
const labels = fc.record({ x: value, y: value }).map(labelsFromRecord);
const matcher = fc
  .tuple(
    fc.constantFrom('=', '!=', '=~', '!~'),
    fc.constantFrom('x', 'y'),
    fc.constantFrom('', 'a', 'b', 'a.b', '.*', '.+', 'a|b', '|a', 'a?', '(?:a|)'),
  )
  .map(([type, name, text]) => createMatcher(type as '=', name, text));

t.test('selectors over kept series select what they would over series with external labels', async (t) => {
  let compared = 0;
  fc.assert(
    fc.property(
      fc.array(matcher, { minLength: 1, maxLength: 3 }),
      labels,
      labels,
      (matchers, kept, external) => {
        let rewritten: readonly Matcher[];
        try {
          rewritten = overKeptSeries([matchers], external)[0]!;
        } catch (error) {
          // Only this one cannot be said: not like what may be empty, which the external value is not.
          const isSayable = (each: Matcher) =>
            each.type !== '!~' || each.matches('') || !each.matches(labelValue(external, each.name));
          return error instanceof PromqlError && !matchers.every(isSayable);
        }
        compared++;
        return matches(rewritten, kept) === matches(matchers, withExternalLabels(kept, external));
      },
    ),
    { numRuns: 5_000 },
  );
  t.ok(compared > 3_000, `${compared} compared`);
});

t.test('labels of the series win', async (t) => {
  const external = labelsFromRecord({ cluster: 'k', job: 'other' });
  t.same(withExternalLabels(labelsFromRecord({ job: 'j' }), external), ['cluster', 'k', 'job', 'j']);
  t.same(withExternalLabels(labelsFromRecord({ job: 'j' }), NO_LABELS), ['job', 'j']);
});

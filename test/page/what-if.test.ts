import t from 'tap';
import type { RetentionGroup } from '../../src/page/retention/answer.js';
import { adviceFor, highestRate, targetFor, windowOf } from '../../src/page/retention/what-if.js';

const LIMITS = { perSeries: 128, maxExemplars: 1_000_000, maxBytes: 512 * 1024 ** 2 };
const DAY = { seconds: 86_400, text: '1d', isConfigured: true };

type Forecast = RetentionGroup['forecast'];

const forecast = (changes: Partial<Forecast> = {}): Forecast => ({
  secondsToFull: 0,
  steadyWindowSeconds: 12_700,
  perSeriesForTarget: 865,
  bytesForTarget: 1e6,
  ...changes,
});
const group = (changes: Partial<Forecast> = {}, series = 10) =>
  ({ series, forecast: forecast(changes) }) as RetentionGroup;
const advise = (total: RetentionGroup, target = DAY) =>
  adviceFor(total, LIMITS, target, (bytes) => `${Math.ceil(bytes / 1024 ** 2)}MiB`);

t.test('the rate comes from the exact of two figures', async (t) => {
  t.equal(highestRate(group(), 128, 86_400), 0.01);
  t.equal(
    highestRate(group({ perSeriesForTarget: 2, steadyWindowSeconds: 12_700 }), 128, 1),
    0.01,
    'a short target rounds up a lot',
  );
  t.equal(
    highestRate(group({ steadyWindowSeconds: 100 }), 128, 86_400),
    0.01,
    'rings that may not hold per_series',
  );
  t.equal(highestRate(group({ steadyWindowSeconds: 0 }), 1, 86_400), 0.01, 'rings of one slot');
  t.equal(highestRate(group({ steadyWindowSeconds: null, perSeriesForTarget: 1 }), 128, 60), 0);
  t.equal(highestRate(group({ perSeriesForTarget: null }), 128, 60), 0);
});

t.test('windows and slots', async (t) => {
  t.equal(windowOf(101, 0.1), 1000);
  t.equal(windowOf(1, 0.1), 0);
  t.equal(windowOf(101, 0), undefined);
  t.equal(targetFor(101, 0.1), 1000);
  t.equal(targetFor(1, 0.1), undefined, 'nothing to ask for');
  t.equal(targetFor(101, 0), undefined);
  t.equal(targetFor(2 ** 31 - 1, 1e-5), undefined, 'longer than anything the server reads');
});

t.test('advice', async (t) => {
  t.match(advise(group({ perSeriesForTarget: 100, steadyWindowSeconds: 1e5 })), {
    text: [/^All rings remember 1d/],
    snippet: undefined,
  });
  t.match(advise(group({ steadyWindowSeconds: null })), { text: [/nothing to lose/], snippet: undefined });
  t.same(advise(group()).snippet, 'storage:\n  exemplars:\n    per_series: 865\n');
  t.same(
    advise(group({}, 2000), { ...DAY, isConfigured: false }).snippet,
    'storage:\n  exemplars:\n    per_series: 865\n    max_exemplars: 1730000\nretention_target: 1d\n',
  );
  const many = advise(group({ bytesForTarget: 600 * 1024 ** 2 }));
  t.match(many.snippet, /per_series: 865\n {4}max_bytes: 600MiB\n$/);
  t.equal(many.text.length, 2);
});

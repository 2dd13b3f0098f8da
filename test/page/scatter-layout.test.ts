import t from 'tap';
import { logSplits } from '../../src/page/explore/scatter-layout.js';
import { describe } from '../../src/page/explore/suggest.js';

t.test('round values on a logarithmic axis', async (t) => {
  t.same(logSplits(0.00104238, 9.2, 12), [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]);
  t.same(logSplits(0.9, 110, 9), [1, 2, 5, 10, 20, 50, 100]);
  t.same(logSplits(1e-9, 1e9, 6), [1e-9, 1e-6, 0.001, 1, 1000, 1e6, 1e9]);
  t.same(logSplits(2, 9.5, 12), [2, 3, 4, 5, 6, 7, 8, 9]);
  t.same(logSplits(0.3, 0.4, 5), [0.3, 0.35, 0.4], 'evenly where the axis is short');
});

t.test('never none, never many, always inside', async (t) => {
  for (let low = -9; low < 9; low += 0.37)
    for (const length of [0.01, 0.1, 0.3, 0.34, 0.7, 1, 2.5, 6, 14])
      for (const most of [4, 7, 12]) {
        const [min, max] = [10 ** low, 10 ** (low + length)];
        const splits = logSplits(min, max, most);
        const isFine =
          splits.length > 0 &&
          splits.length <= most + 2 &&
          splits.every((value) => value >= min * 0.999999 && value <= max * 1.000001);
        if (!isFine) t.fail(`${min} … ${max}, ${most}: ${splits}`);
      }
});

t.test('metadata of a family describes its series', async (t) => {
  const of = (help: string) => [{ type: 'counter', help, unit: '' }];
  const metadata = { x: of('family'), y_total: of('whole'), z_count: of('a counter of its own') };
  t.equal(describe('x_bucket', metadata).help, 'family');
  t.equal(describe('x_total', metadata).help, 'family');
  t.equal(describe('y_total', metadata).help, 'whole');
  t.equal(describe('z_count', metadata).help, 'a counter of its own');
  t.same(describe('constructor', metadata), {});
});

import t from 'tap';
import { LimitCut } from '../../src/query/limit-cut.js';
import fc from '../support/properties.js';

t.test('takes the first of all that were offered, as many as the limit', async () => {
  const timestamps = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 });
  fc.assert(
    fc.property(
      timestamps,
      fc.integer({ min: 1, max: 70 }),
      fc.constantFrom('asc', 'desc'),
      (all, limit, order) => {
        const cut = new LimitCut(limit, order);
        for (const timestampMs of all) cut.offer(timestampMs);
        const taken = all.filter((timestampMs) => cut.take(timestampMs));
        const sign = order === 'asc' ? 1 : -1;
        const sort = (values: number[]) => [...values].sort((a, b) => sign * (a - b));
        return JSON.stringify(sort(taken)) === JSON.stringify(sort(all).slice(0, limit));
      },
    ),
  );
});

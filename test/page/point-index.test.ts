import t from 'tap';
import { PointIndex } from '../../src/page/explore/point-index.js';

t.test('finds what looking at every point finds', async (t) => {
  let seed = 7;
  const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const count = 3000;
  const x = Float32Array.from({ length: count }, () => (random() < 0.1 ? Number.NaN : random() * 800));
  const y = Float32Array.from({ length: count }, () => random() * 300);
  const index = new PointIndex(x, y, 800, 300);
  for (let trial = 0; trial < 500; trial++) {
    const [px, py, reach] = [random() * 900 - 50, random() * 400 - 50, random() * 40];
    let best: number | undefined;
    let bestDistance = reach * reach;
    for (let at = 0; at < count; at++) {
      const distance = (x[at]! - px) ** 2 + (y[at]! - py) ** 2;
      if (distance <= bestDistance) [best, bestDistance] = [at, distance];
    }
    t.equal(index.nearest(px, py, reach), best);
  }
});

t.test('of points in one place, the one drawn last', async (t) => {
  const index = new PointIndex(new Float32Array([5, 5, 5]), new Float32Array([5, 5, 5]), 10, 10);
  t.equal(index.nearest(6, 5, 3), 2);
  t.equal(index.nearest(9, 9, 1), undefined);
});

t.test('nothing there', async (t) => {
  t.equal(new PointIndex(new Float32Array(), new Float32Array(), 0, 0).nearest(0, 0, 10), undefined);
});

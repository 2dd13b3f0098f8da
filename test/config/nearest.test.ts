import t from 'tap';
import { editDistance, nearest } from '../../src/config/nearest.js';

t.test('edit distance', async (t) => {
  const f = (a: string, b: string, distance: number) => {
    t.equal(editDistance(a, b), distance, `${a} → ${b}`);
    t.equal(editDistance(b, a), distance, `${b} → ${a}`);
  };
  f('', '', 0);
  f('', 'abc', 3);
  f('abc', 'abc', 0);
  f('abc', 'abd', 1);
  f('abc', 'ab', 1);
  f('abc', 'acb', 1);
  f('kitten', 'sitting', 3);
});

t.test('nearest', async (t) => {
  const f = (word: string, candidates: string[], expected: string | undefined) =>
    t.equal(nearest(word, candidates), expected, word);
  f('scrap_interval', ['scrape_timeout', 'scrape_interval'], 'scrape_interval');
  f('file_sd_config', ['file_sd_configs', 'http_sd_configs'], 'file_sd_configs');
  f('nmae', ['url', 'name'], 'name');
  f('xyz', ['url', 'name'], undefined);
  f('', ['url'], undefined);
  f('x'.repeat(100_000), ['url'], undefined);
});

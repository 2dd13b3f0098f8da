import t from 'tap';
import { paragraph } from '../../src/cli/paragraph.js';

t.test('lines of no more than the width', async (t) => {
  t.equal(paragraph('one two three four', 9), 'one two\nthree\nfour\n');
  t.equal(paragraph('one two three', 12, '- '), '- one two\n  three\n');
  t.equal(paragraph('one two', 8, '12: ', '  '), '12: one\n  two\n');
  t.equal(paragraph('a-word-that-is-longer one', 5), 'a-word-that-is-longer\none\n', 'words are not cut');
  t.equal(paragraph('', 5), '\n');
});

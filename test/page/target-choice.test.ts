import t from 'tap';
import type { Finding, Target } from '../../src/page/targets/answer.js';
import { byHealth, isShown, readChoice, writeChoice } from '../../src/page/targets/target-choice.js';

const finding = (severity: Finding['severity']): Finding => ({ code: 'x', severity, message: 'm', next: '' });
const target = (health: Target['health'], changes: Partial<Target> = {}) =>
  ({
    health,
    scrapePool: 'shop',
    scrapeUrl: 'http://a:80/metrics',
    lastError: '',
    labels: { instance: 'a:80', team: 'Blue' },
    exemplarFindings: [],
    ...changes,
  }) as unknown as Target;

t.test('a choice survives the way through a URL', async (t) => {
  t.equal(writeChoice(readChoice(new URLSearchParams('show=everything'))).toString(), '');
  for (const shown of ['all', 'down', 'findings'] as const) {
    const choice = { shown, search: 'a&b c' };
    t.same(readChoice(writeChoice(choice)), choice);
  }
});

t.test('what is shown', async (t) => {
  const shows = (each: Target, search: string, shown: 'all' | 'down' | 'findings' = 'all') =>
    isShown(each, { shown, search });
  t.ok(shows(target('up'), ''));
  t.ok(shows(target('up'), ' BLUE  a:80 '), 'every word, anywhere');
  t.notOk(shows(target('up'), 'blue red'));
  t.ok(shows(target('down', { lastError: 'connection refused' }), 'refused', 'down'));
  t.notOk(shows(target('unknown'), '', 'down'));
  t.notOk(shows(target('up', { exemplarFindings: [finding('info')] }), '', 'findings'));
  t.ok(shows(target('up', { exemplarFindings: [finding('warning')] }), '', 'findings'));
});

t.test('what needs somebody comes first', async (t) => {
  const down = target('down');
  const lossy = target('up', { exemplarFindings: [finding('error')] });
  const others = [target('up'), target('unknown'), target('up', { exemplarFindings: [finding('warning')] })];
  t.same([...others, lossy, down].sort(byHealth), [down, lossy, ...others]);
});

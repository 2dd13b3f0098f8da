/** Policies, shares and budgets, without an engine. */
import t from 'tap';
import type { Candidate, Group } from '../../src/sampler/candidates.js';
import { type ChooseInput, choose } from '../../src/sampler/choose.js';
import { policy } from '../support/sampling.js';

const group = (id: string, traces = 1): Group => ({ id, labels: {}, exemplars: traces, traces });

/** `a1`: trace 1 of group a. */
function candidate(name: string, more: Partial<Candidate> = {}): Candidate {
  const hash = Number(`0.${name.slice(1)}`);
  return { groupId: name[0]!, traceId: name, hash, value: 0, refMs: 0, service: 's', ...more };
}

const BUDGET = { tracesPerRun: 100, serviceShare: 1 };

/** `name:reason,reason` of each pick. */
function picked(input: Partial<ChooseInput>): string {
  const groups = [...new Set(input.policies?.flatMap((each) => each.candidates.map((c) => c.groupId)))];
  const { picks } = choose({
    groups: groups.map((id) => group(id)),
    policies: [],
    budget: BUDGET,
    exists: () => true,
    ...input,
  });
  return picks.map(({ traceId, reasons }) => `${traceId}:${reasons}`).join(' ');
}

t.test('each group gets its first before any gets its second', async (t) => {
  const candidates = ['a1', 'a2', 'a3', 'b4', 'b5'].map((name) => candidate(name));
  const of = (perGroup: number, tracesPerRun = 100) =>
    picked({
      policies: [{ policy: policy('representative', { perGroup }), candidates }],
      budget: { ...BUDGET, tracesPerRun },
    });
  t.equal(of(1), 'a1:representative b4:representative');
  t.equal(of(2), 'a1:representative b4:representative a2:representative b5:representative');
  t.equal(of(2, 3), 'a1:representative b4:representative a2:representative');
  t.equal(of(9), 'a1:representative b4:representative a2:representative b5:representative a3:representative');
});

t.test('who comes first when there is not enough for all', async (t) => {
  const candidates = [
    candidate('a1', { value: 1 }),
    candidate('b2', { value: 9 }),
    candidate('c3', { value: Number.POSITIVE_INFINITY }),
    candidate('d4', { value: Number.NaN }),
  ];
  const groups = [group('a', 50), group('b', 40), group('c', 60), group('d', 2)];
  const of = (type: 'slowest' | 'rare' | 'representative' | 'errors') =>
    picked({
      groups,
      policies: [{ policy: policy(type, { name: 'p' }), candidates }],
      budget: { ...BUDGET, tracesPerRun: 2 },
    });
  t.equal(of('slowest'), 'c3:p b2:p');
  t.equal(of('errors'), 'c3:p b2:p');
  t.equal(of('rare'), 'd4:p b2:p');
  t.equal(of('representative'), 'a1:p b2:p');
});

t.test('shares: what one leaves goes on to the next, and at last to whoever wants more', async (t) => {
  const many = (letters: string) => [...letters].map((letter, i) => candidate(`${letter}${i + 1}`));
  const input = (first: number, second: number) => ({
    policies: [
      { policy: policy('errors', { share: first }), candidates: many('abcdef') },
      { policy: policy('representative', { share: second }), candidates: many('ghijkl') },
    ],
    budget: { ...BUDGET, tracesPerRun: 6 },
  });
  const counts = (text: string) => [
    text.split(' ').filter((each) => each.endsWith('errors')).length,
    text.split(' ').filter((each) => each.endsWith('representative')).length,
  ];
  t.same(counts(picked(input(0.5, 0.5))), [3, 3]);
  t.same(counts(picked(input(0, 1))), [0, 6]);
  const [errors, others] = input(0.5, 0.5).policies;
  const few = { ...errors!, candidates: errors!.candidates.slice(0, 1) };
  t.same(counts(picked({ policies: [few, others!], budget: { ...BUDGET, tracesPerRun: 6 } })), [1, 5]);
  t.same(counts(picked({ policies: [errors!, { ...others!, candidates: others!.candidates.slice(0, 1) }], budget: { ...BUDGET, tracesPerRun: 6 } })), [5, 1]); // biome-ignore format: one line
});

t.test('a trace that several policies pick counts once', async (t) => {
  const candidates = [candidate('a1'), candidate('b1', { traceId: 'a1' })];
  const input = {
    policies: [
      { policy: policy('slowest'), candidates },
      { policy: policy('representative'), candidates },
    ],
    budget: { ...BUDGET, tracesPerRun: 1 },
  };
  t.equal(picked(input), 'a1:slowest,representative');
  const { covered, picks } = choose({ ...input, groups: [group('a'), group('b')], exists: () => true });
  t.same([...covered].sort(), ['a', 'b'], 'and stands for all its groups');
  t.same(picks[0]?.groupIds, ['a', 'b']);
});

t.test('traces that exist come first; a group without any gets one that may still arrive', async (t) => {
  const candidates = ['a1', 'a2', 'b3', 'b4'].map((name) => candidate(name));
  const choice = choose({
    groups: [group('a'), group('b')],
    policies: [{ policy: policy('representative'), candidates }],
    budget: BUDGET,
    exists: (traceId) => traceId === 'a2',
  });
  t.same(choice.picks.map(({ traceId, exists }) => [traceId, exists]), [['a2', true], ['b3', false]]); // biome-ignore format: one line
  t.same([...choice.covered], ['a']);
});

t.test('no service has more than its share', async (t) => {
  const candidates = ['a1', 'b2', 'c3', 'd4'].map((name, i) =>
    candidate(name, { service: i < 3 ? 'loud' : 'quiet' }),
  );
  const input = {
    groups: ['a', 'b', 'c', 'd'].map((id) => group(id)),
    policies: [{ policy: policy('representative'), candidates }],
    budget: { tracesPerRun: 4, serviceShare: 0.5 },
    exists: () => true,
  };
  t.equal(picked(input), 'a1:representative b2:representative d4:representative');
  t.same([...choose(input).exhausted], ['service']);
});

t.test('chance: the rate, and the true one where the budget cut it short', async (t) => {
  const candidates = ['a1', 'a2', 'a3', 'b4'].map((name) => candidate(name));
  const input = (tracesPerRun: number) => ({
    groups: [group('a'), group('b')],
    policies: [{ policy: policy('probabilistic', { rate: 0.5 }), candidates }],
    budget: { tracesPerRun, serviceShare: 1 },
    exists: () => true,
  });
  t.same(
    choose(input(100)).picks.map(({ rate }) => rate),
    [0.5, 0.5, 0.5, 0.5],
  );
  t.same(choose(input(2)).picks.map(({ traceId, rate }) => [traceId, rate]), [['a1', 0.3], ['a2', 0.3]]); // biome-ignore format: one line
  t.equal(choose({ ...input(9), policies: [{ policy: policy('rare'), candidates }] }).picks[0]?.rate, 0);
});

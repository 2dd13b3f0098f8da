import t from 'tap';
import { type ApiPath, isAnswerOf } from '../../src/page/api/shapes.js';

const SERIES = { seriesLabels: { job: 'shop' }, exemplars: [{ labels: {}, value: '1', timestamp: 1.5 }] };
const SINK = { labels: {}, figures: { bytes: 1 }, parts: {} };
const SINKS = { impairment: null, journal: [SINK], remote_write: [], archive: [], sampler: [] };

t.test('what is relied on has to be there, whatever else is', async (t) => {
  const are = (path: ApiPath, ...answers: unknown[]) => {
    for (const answer of answers) t.ok(isAnswerOf(path, answer), `${path}: ${JSON.stringify(answer)}`);
  };
  const areNot = (path: ApiPath, ...answers: unknown[]) => {
    for (const answer of answers) t.notOk(isAnswerOf(path, answer), `${path}: ${JSON.stringify(answer)}`);
  };
  are('labels', [], ['job'], ['job', '']);
  areNot('labels', undefined, null, {}, 'job', [1], ['job', null]);
  are('label/a%2Fb/values', [], ['x']);
  areNot('label/a%2Fb/values', {}, [{}]);
  are('metadata', {}, { shop: [] });
  areNot('metadata', undefined, null, [], '{}', 1);
  are('query_exemplars', [], [SERIES], [SERIES, { ...SERIES, exemplars: [], more: 1 }]);
  areNot('query_exemplars', {}, [{}], [null], [[]], [SERIES, { ...SERIES, exemplars: {} }]);
  areNot('query_exemplars', [{ ...SERIES, exemplars: [{ labels: {}, value: 1, timestamp: 1 }] }]);
  are('traces/abc/exemplars', [], [SERIES]);
  areNot('traces/abc/exemplars', {}, [{}]);
  are('status/sinks', SINKS);
  areNot('status/sinks', {}, [], { ...SINKS, archive: null }, { ...SINKS, sampler: {} });
  areNot('status/sinks', { ...SINKS, journal: [{ labels: {}, figures: {} }] });
});

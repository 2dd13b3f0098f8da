import t from 'tap';
import { labelsFromRecord } from '../../src/model/labels.js';
import { createApi, createStore, get } from '../support/api.js';
import { traced } from '../support/exemplar.js';

const NOW_MS = Date.now();
const seconds = Math.floor(NOW_MS / 1000);
const TRUNCATED = ['results truncated due to limit'];

async function createShop() {
  const store = createStore();
  const append = (labels: Record<string, string>, atMs: number) =>
    store.append(store.seriesOf(labelsFromRecord(labels), NOW_MS), traced(atMs, 't'), NOW_MS);
  append({ __name__: 'a', job: 'shop', 'my.label': 'x y' }, seconds * 1000 - 3_600_000);
  append({ __name__: 'b', job: 'bank', é: '1', Z: '2' }, seconds * 1000);
  append({ __name__: 'b', job: 'café', '\u{1f600}': '\uffee', _z: '3' }, seconds * 1000);
  return createApi(store);
}

t.test('labels', async (t) => {
  const api = await createShop();
  const labels = async (parameters = '') => (await get(api, `/api/v1/labels${parameters}`)).body;
  t.strictSame(await labels(), {
    status: 'success',
    data: ['Z', '__name__', '_z', 'job', 'my.label', 'é', '\u{1f600}'],
  });
  t.same((await labels('?match[]=a')).data, ['__name__', 'job', 'my.label']);
  t.same((await labels('?match[]=a&match[]={Z="2"}')).data, ['Z', '__name__', 'job', 'my.label', 'é']);
  t.same((await labels('?limit=2')).data, ['Z', '__name__']);
  t.same((await labels('?limit=2')).warnings, TRUNCATED);
  t.equal((await labels('?limit=7')).warnings, undefined);
  t.equal((await labels('?limit=0')).data.length, 7);
  t.notOk((await labels(`?start=${seconds - 10}`)).data.includes('my.label'));
  t.same((await labels(`?end=${seconds - 10}`)).data, ['__name__', 'job', 'my.label']);
});

t.test('label values', async (t) => {
  const api = await createShop();
  const values = async (path: string) => (await get(api, `/api/v1/label/${path}`)).body.data;
  t.same(await values('job/values'), ['bank', 'café', 'shop']);
  t.same(await values('job/values?match[]=b'), ['bank', 'café']);
  t.same(await values('nothing/values'), []);
  t.same(await values('U__my_2e_label/values'), ['x y']);
  t.same(await values('my.label/values'), ['x y']);
  t.same(await values('U___1F600_/values'), ['\uffee']);
  t.same(await values('U____name__/values'), []);
  t.same(await values('U______name____/values'), ['a', 'b']);
  t.same(await values('%C3%A9/values'), ['1']);
  t.same(await values('__name__/values?limit=1'), ['a']);
});

t.test('series', async (t) => {
  const api = await createShop();
  const series = async (parameters: string) => (await get(api, `/api/v1/series?${parameters}`)).body;
  t.strictSame(await series('match[]=a'), {
    status: 'success',
    data: [{ __name__: 'a', job: 'shop', 'my.label': 'x y' }],
  });
  const jobs = async (parameters: string) =>
    (await series(parameters)).data.map((labels: { job: string }) => labels.job);
  // By label set, in which the label Z comes before the name.
  t.same(await jobs('match[]=b&match[]=a'), ['bank', 'shop', 'café']);
  t.same(await jobs(`match[]={job=~".%2B"}&end=${seconds - 10}`), ['shop']);
  t.match(await series('match[]={job!=""}&limit=2'), { data: { length: 2 }, warnings: TRUNCATED });
  t.equal((await series('match[]={job!=""}&limit=3')).warnings, undefined);
});

t.test('what is wrong', async (t) => {
  const api = await createShop();
  const badTime = 'invalid time value for \'start\': cannot parse "x" to a valid timestamp';
  const cases: [string, string][] = [
    ['series', 'no match[] parameter provided'],
    ['series?match[]={', 'invalid parameter "match[]": 1:2: parse error: unexpected end of input'],
    [
      'labels?match[]={a=""}',
      'invalid parameter "match[]": match[] must contain at least one non-empty matcher',
    ],
    ['labels?limit=x', 'invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax'],
    ['labels?limit=-1', 'invalid parameter "limit": limit must be non-negative'],
    ['labels?start=x', `invalid parameter "start": ${badTime}`],
  ];
  for (const [path, error] of cases) {
    const expected = { status: 400, body: { status: 'error', errorType: 'bad_data', error } };
    t.strictSame(await get(api, `/api/v1/${path}`), expected, path);
  }
});

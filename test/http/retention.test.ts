import t from 'tap';
import { labelsFromRecord } from '../../src/model/labels.js';
import { createApi, createStore, get } from '../support/api.js';
import { traced } from '../support/exemplar.js';

const NOW_MS = Date.now();

async function shop(targetMs?: number) {
  const store = createStore({ perSeries: 2 });
  const append = (labels: Record<string, string>, count: number) => {
    const series = store.seriesOf(labelsFromRecord(labels), NOW_MS - 60_000);
    for (let i = count; i > 0; i--) {
      store.append(series, traced(NOW_MS - i * 1000, `t${i}`), NOW_MS - i * 1000);
    }
  };
  append({ __name__: 'a', job: 'shop', instance: 'i:1' }, 5);
  append({ __name__: 'b', job: 'shop', instance: 'i:2' }, 1);
  append({ __name__: 'a', job: 'bank', instance: 'i:1' }, 2);
  return createApi(store, { retentionTargetMs: () => targetMs });
}

t.test('groupings, selectors, sorting, limits', async (t) => {
  const api = await shop();
  const groups = async (parameters: string) => {
    const { status, body } = await get(api, `/api/v1/retention?${parameters}`);
    t.equal(status, 200, parameters);
    t.equal(body.status, 'success');
    return body.data.groups
      .map((group: { labels: object; exemplars: number }) =>
        [...Object.values(group.labels), group.exemplars].join(' '),
      )
      .join(', ');
  };
  const cases: [string, string][] = [
    ['', '5'],
    ['by=total', '5'],
    ['by=job', 'bank 2, shop 3'],
    ['by=instance', 'i:1 4, i:2 1'],
    ['by=metric', 'a 4, b 1'],
    ['by=label:job', 'bank 2, shop 3'],
    ['by=label:nothing', '5'],
    ['by=series', 'a i:1 bank 2, a i:1 shop 2, b i:2 shop 1'],
    ['by=job&order=desc', 'shop 3, bank 2'],
    ['by=job&sort=exemplars', 'shop 3, bank 2'],
    ['by=job&sort=exemplars&order=asc', 'bank 2, shop 3'],
    ['by=series&limit=1', 'a i:1 bank 2'],
    ['by=job&match[]=b', 'shop 1'],
    ['by=job&match[]=b&match[]={job="bank"}', 'bank 2, shop 1'],
    ['by=job&match[]=nothing', ''],
  ];
  for (const [parameters, expected] of cases) t.equal(await groups(parameters), expected, parameters);
});

t.test('the target is that of the request, of the configuration, or none', async (t) => {
  const perSeries = async (targetMs: number | undefined, parameters: string) => {
    const { body } = await get(await shop(targetMs), `/api/v1/retention?${parameters}`);
    return body.data.groups[0].forecast.perSeriesForTarget;
  };
  t.equal(await perSeries(undefined, ''), null);
  const hour = await perSeries(3_600_000, '');
  t.ok(hour > 1);
  t.ok((await perSeries(3_600_000, 'target=2h')) > hour);
  t.ok((await perSeries(undefined, 'target=2h')) > hour);
});

t.test('what is wrong is a 400 that names the parameter', async (t) => {
  const api = await shop();
  const cases: [string, string][] = [
    ['by=jobs', '"by": "jobs" is none of total, job, instance, metric, series, label:NAME'],
    ['by=label:', '"by": "label:" is none of'],
    ['by=__proto__', '"by":'],
    ['sort=name', '"sort": "name" is none of window, rate, overwrites, exemplars'],
    ['order=up', '"order": "up" is none of asc, desc'],
    ['limit=0', '"limit": "0" is not a whole number of 1 or more'],
    ['limit=x', '"limit":'],
    ['target=24', '"target": "24" is not a duration above 0'],
    ['target=0s', '"target":'],
    ['match[]=a{', '"match[]": 1:3: parse error: unexpected end of input'],
    ['match[]={a=""}', '"match[]": match[] must contain at least one non-empty matcher'],
    ['match[]=a%2Bb', '"match[]": 1:1: parse error: not a series selector'],
    ['match[]=a[5m]', '"match[]": 1:1: parse error: not a series selector'],
    ['match[]=', '"match[]": unknown position: parse error: no expression found in input'],
  ];
  for (const [parameters, error] of cases) {
    const { status, body } = await get(api, `/api/v1/retention?${parameters}`);
    t.equal(status, 400, parameters);
    t.match(body, { status: 'error', errorType: 'bad_data' });
    const message = `invalid parameter ${error}`;
    t.equal(body.error.slice(0, message.length), message);
  }
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { labelsFromRecord } from '../../src/model/labels.js';
import { createApi, createStore } from '../support/api.js';
import { traced } from '../support/exemplar.js';
import { until } from '../support/until.js';

const NOW_MS = Date.now();
const ALL = `/api/v1/query_exemplars?query=${encodeURIComponent('{__name__=~".+"}')}`;

/** A store whose whole answer has some megabytes. */
function createLargeStore() {
  const store = createStore();
  for (let n = 0; n < 2000; n++) {
    const series = store.seriesOf(labelsFromRecord({ __name__: 'm', n: String(n) }), NOW_MS);
    for (let i = 0; i < 20; i++) store.append(series, traced(NOW_MS + i, `${n}-${i}`), NOW_MS);
  }
  return store;
}

t.test('a large answer is the same with and without gzip', async (t) => {
  const api = await createApi(createLargeStore());
  const plain = await api.inject(ALL);
  t.equal(plain.headers['content-encoding'], undefined);
  t.equal(plain.json().data.length, 2000);
  const zipped = await api.inject({ url: ALL, headers: { 'accept-encoding': 'gzip' } });
  t.equal(zipped.headers['content-encoding'], 'gzip');
  t.ok(zipped.rawPayload.length < plain.rawPayload.length / 3);
  t.ok(gunzipSync(zipped.rawPayload).equals(plain.rawPayload));
});

t.test('clients that go away in the middle of an answer harm nobody', async (t) => {
  const api = await createApi(createLargeStore());
  const url = new URL(await api.listen({ host: '127.0.0.1', port: 0 }));
  t.teardown(() => api.close());
  for (const encoding of ['gzip', 'identity', 'gzip', 'identity']) {
    const socket = connect(Number(url.port), url.hostname);
    socket.write(`GET ${ALL} HTTP/1.1\r\nhost: x\r\naccept-encoding: ${encoding}\r\n\r\n`);
    await once(socket, 'data');
    socket.destroy();
  }
  const connections = () =>
    new Promise((resolve) => api.server.getConnections((_error, count) => resolve(count)));
  await until(async () => (await connections()) === 0, 'the server to notice');
  t.equal((await api.inject('/-/healthy')).statusCode, 200);
});

t.test('other origins may read the API, and only that', async (t) => {
  const api = await createApi();
  const headers = { origin: 'http://grafana.example' };
  const allowed = async (url: string) =>
    (await api.inject({ url, headers })).headers['access-control-allow-origin'];
  t.equal(await allowed('/api/v1/labels'), '*');
  t.equal(await allowed('/api/v1/retention?by=nonsense'), '*');
  t.equal(await allowed('/-/healthy'), undefined);
  t.equal((await api.inject('/api/v1/labels')).headers['access-control-allow-origin'], undefined);
});

t.test('paths and methods that are not there', async (t) => {
  const api = await createApi();
  const cases: [method: 'GET' | 'PUT' | 'DELETE', url: string, status: number, allow: string | undefined][] =
    [
      ['GET', '/api/v1/nothing', 404, undefined],
      ['GET', '/nothing', 404, undefined],
      ['PUT', '/api/v1/retention', 405, 'GET, OPTIONS'],
      ['DELETE', '/api/v1/label/a/values', 405, 'GET, OPTIONS'],
      ['DELETE', '/api/v1/query_exemplars', 405, 'GET, OPTIONS, POST'],
      ['GET', '/-/quit', 405, undefined],
    ];
  for (const [method, url, status, allow] of cases) {
    const response = await api.inject({ method, url });
    t.equal(response.statusCode, status, url);
    t.equal(response.headers.allow, allow, url);
  }
});

t.test('what cannot be read is an error in the shape of the API', async (t) => {
  const api = await createApi();
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const post = (payload: string) =>
    api.inject({ method: 'POST', url: '/api/v1/query_exemplars', headers: form, payload });
  const tooLarge = await post(`query=${'a'.repeat(5 * 1024 * 1024)}`);
  t.match(tooLarge, { statusCode: 413 });
  t.match(tooLarge.json(), { status: 'error', errorType: 'bad_data', error: /larger than the 4 MiB/ });
  t.equal((await post('query=%zz&=&&')).statusCode, 400);
  t.equal((await api.inject('/api/v1/label/%E0%A4%A/values')).statusCode, 400);
});

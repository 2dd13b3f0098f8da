import t from 'tap';
import { createApi, get } from '../support/api.js';

t.test('status', async (t) => {
  const api = await createApi(undefined, {
    configText: () => 'global:\n  password: <secret>\n',
    flags: { 'config.file': 'a.yml' },
    runtime: () => ({ startMs: 1_763_796_000_000, configLoadedMs: 1_763_796_000_500, isReloadGood: false }),
  });
  const data = async (path: string) => (await get(api, `/api/v1/status/${path}`)).body.data;
  t.strictSame(await data('config'), { yaml: 'global:\n  password: <secret>\n' });
  t.strictSame(await data('flags'), { 'config.file': 'a.yml' });
  t.match(await data('buildinfo'), { version: '1.2.3', goVersion: `node ${process.version}` });
  for (const value of Object.values(await data('buildinfo'))) t.type(value, 'string');
  t.match(await data('runtimeinfo'), {
    startTime: '2025-11-22T07:20:00Z',
    lastConfigTime: '2025-11-22T07:20:00.5Z',
    reloadConfigSuccess: false,
    CWD: process.cwd(),
  });
});

t.test('PromQL other than constants', async (t) => {
  const api = await createApi();
  for (const path of [
    'query?query=up',
    'query_range?query=up',
    'query_range?query=1',
    'query?query=time()',
  ]) {
    t.match(await get(api, `/api/v1/${path}`), {
      status: 422,
      body: { status: 'error', errorType: 'execution', error: /^only exemplars are kept here/ },
    });
  }
  t.match(await get(api, '/api/v1/query_range?query=up('), {
    status: 400,
    body: { error: /^invalid parameter "query": 1:\d+: parse error: / },
  });
});

t.test('before it is ready, and while it stops', async (t) => {
  let readiness: 'starting' | 'ready' | 'stopping' = 'starting';
  const api = await createApi(undefined, { readiness: () => readiness });
  const ask = async (url: string) => {
    const { statusCode, headers, body } = await api.inject(url);
    return [statusCode, headers['x-prometheus-stopping'], body];
  };
  t.strictSame(await ask('/api/v1/labels'), [503, 'false', 'Service Unavailable']);
  t.strictSame(await ask('/-/ready'), [503, 'false', 'Service Unavailable']);
  t.equal((await ask('/-/healthy'))[0], 200);
  t.equal((await ask('/metrics'))[0], 200);
  readiness = 'stopping';
  t.strictSame(await ask('/-/ready'), [503, 'true', 'Service Unavailable']);
  readiness = 'ready';
  t.equal((await ask('/-/ready'))[0], 200);
});

t.test('lifecycle', async (t) => {
  const off = await createApi();
  const refused = { statusCode: 403, body: 'Lifecycle API is not enabled.' };
  t.match(await off.inject({ method: 'POST', url: '/-/reload' }), refused);
  t.match(await off.inject({ method: 'POST', url: '/-/quit' }), refused);
  let reloads = 0;
  let quits = 0;
  const on = await createApi(undefined, {
    enableLifecycle: true,
    impairment: () => undefined,
    reload: async () => {
      if (++reloads > 1) throw new Error('a.yml:1:1: no');
    },
    quit: () => {
      quits++;
    },
  });
  t.match(await on.inject({ method: 'PUT', url: '/-/reload' }), { statusCode: 200, body: '' });
  t.match(await on.inject({ method: 'POST', url: '/-/reload' }), {
    statusCode: 500,
    body: 'failed to reload config: a.yml:1:1: no\n',
  });
  t.equal((await on.inject({ method: 'POST', url: '/-/quit' })).statusCode, 200);
  t.equal(quits, 1);
});

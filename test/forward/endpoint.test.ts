import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Endpoint } from '../../src/forward/endpoint.js';
import { DEFAULT_REMOTE_WRITE } from '../../src/forward/options.js';
import { DEFAULT_TLS, type HttpClientOptions } from '../../src/http-client/options.js';
import { systemClock } from '../../src/util/clock.js';
import { Authority, HAS_OPENSSL } from '../support/certificates.js';
import { serve } from '../support/http-servers.js';
import { type Receiver, startReceiver } from '../support/remote-write-receiver.js';

const empty = Buffer.from([0]);
const protocol = { contentType: 'application/x-protobuf', version: '0.1.0' };

async function start(): Promise<{ receiver: Receiver; endpoint: Endpoint }> {
  const receiver = await startReceiver();
  t.teardown(() => receiver.close());
  const options = { ...DEFAULT_REMOTE_WRITE, name: 'test', url: receiver.url, externalLabels: [] };
  const endpoint = new Endpoint({ options, clock: systemClock, userAgent: 'exemplard/test' });
  t.teardown(() => endpoint.close());
  return { receiver, endpoint };
}

const never = new AbortController().signal;

t.test('the protocol is told by each request', async (t) => {
  const { receiver, endpoint } = await start();
  const other = { contentType: 'application/x-protobuf;proto=other', version: '9.0.0' };
  await endpoint.post({ protocol, body: empty, attempt: 0 }, never);
  await endpoint.post({ protocol: other, body: empty, attempt: 3 }, never);
  t.match(receiver.requests, [
    { headers: { 'content-type': protocol.contentType, 'x-prometheus-remote-write-version': '0.1.0' } },
    {
      headers: {
        'content-type': other.contentType,
        'x-prometheus-remote-write-version': '9.0.0',
        'content-encoding': 'snappy',
        'user-agent': 'exemplard/test',
        'retry-attempt': '3',
      },
    },
  ]);
});

t.test('what the receiver says it wrote; nothing where it says nothing that is a number', async (t) => {
  const { receiver, endpoint } = await start();
  const written = async (status: number, counts: Record<string, string>) => {
    const headers = Object.fromEntries(
      Object.entries(counts).map(([of, count]) => [`X-Prometheus-Remote-Write-${of}-Written`, count]),
    );
    receiver.reply = () => ({ status, headers });
    return (await endpoint.post({ protocol, body: empty, attempt: 0 }, never)).written;
  };
  const nothing = { samples: undefined, histograms: undefined, exemplars: undefined };
  t.same(await written(204, {}), nothing);
  t.same(await written(204, { Samples: '12', Histograms: '0', Exemplars: '3' }), {
    samples: 12,
    histograms: 0,
    exemplars: 3,
  });
  t.same(await written(400, { Samples: '7' }), { ...nothing, samples: 7 });
  t.same(await written(204, { Samples: '-1', Histograms: '', Exemplars: '1e3' }), nothing);
});

t.test(
  'TLS with a client certificate, and a token file that appears late',
  { skip: !HAS_OPENSSL && 'no openssl' },
  async (t) => {
    const directory = t.testdir({});
    const authority = new Authority(directory, 'authority');
    const client = authority.sign('client', 'DNS:client');
    const server = await serve((_, response) => response.writeHead(204).end(), {
      ...authority.sign('server', 'IP:127.0.0.1'),
      ca: authority.pair.cert,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const token = join(directory, 'token');
    const httpClient: HttpClientOptions = {
      ...DEFAULT_REMOTE_WRITE.httpClient,
      auth: { type: 'authorization', scheme: 'Bearer', credentials: { file: token } },
      tls: {
        ...DEFAULT_TLS,
        ca: { text: authority.pair.cert },
        cert: { text: client.cert },
        key: { text: client.key },
      },
    };
    const url = `https://127.0.0.1:${server.port}/write`;
    const options = { ...DEFAULT_REMOTE_WRITE, name: 'test', url, externalLabels: [], httpClient };
    const endpoint = new Endpoint({ options, clock: systemClock, userAgent: 'exemplard/test' });
    t.teardown(() => Promise.all([endpoint.close(), server.close()]));
    const post = () => endpoint.post({ protocol, body: empty, attempt: 0 }, never);
    await t.rejects(post(), { message: /authorization.credentials: file .*token cannot be read: ENOENT/ });
    writeFileSync(token, 'late\n');
    t.match(await post(), { status: 204 });
    t.match(server.asked, [{ url: '/write', headers: { authorization: 'Bearer late' } }]);
  },
);

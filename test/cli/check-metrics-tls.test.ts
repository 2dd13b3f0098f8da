import { join } from 'node:path';
import t from 'tap';
import { type CheckMetricsOptions, checkMetrics } from '../../src/cli/check-metrics.js';
import { Authority, HAS_OPENSSL } from '../support/certificates.js';
import { serve } from '../support/http-servers.js';
import { OPENMETRICS } from '../support/target.js';

const skip = !HAS_OPENSSL && 'no openssl';
const BODY = '# TYPE a counter\na_total 1\n# EOF\n';

async function findings(url: string, options: Partial<CheckMetricsOptions> = {}) {
  let stdout = '';
  const take = (text: string) => {
    stdout += text;
  };
  await checkMetrics(
    url,
    { output: 'json', timeout: '5s', header: [], insecure: false, ...options },
    { stdout: take, stderr: take, stdin: (async function* () {})() },
  );
  try {
    return JSON.parse(stdout).findings.map(({ code, message, next }: Record<string, string>) => `${code}: ${message} ${next}`);
  } catch {
    return [stdout];
  }
} // biome-ignore format: short

t.test('whose certificate, and for whom', { skip }, async (t) => {
  const directory = t.testdir({});
  const authority = new Authority(directory, 'authority');
  const answer = (response: import('node:http').ServerResponse) =>
    response.writeHead(200, { 'content-type': OPENMETRICS }).end(BODY);
  const server = await serve((_, response) => answer(response), authority.sign('s', 'DNS:shop.example'));
  t.teardown(() => server.close());
  const url = `https://127.0.0.1:${server.port}/metrics`;
  const ca = join(directory, 'authority.pem');
  t.match(await findings(url), [/^tls_authority_unknown: .*--ca FILE\. --insecure takes any/]);
  t.match(await findings(url, { ca }), [/^tls_name_wrong: .*127\.0\.0\.1/]);
  t.match(await findings(url, { insecure: true }), [/^no_exemplars/]);
  t.match(await findings(url, { ca: join(directory, 'none') }), [/^tls_files: .*none cannot be read/]);
  t.match(await findings(url, { cert: ca }), [/--cert and --key go together/]);
});

t.test('certificates of clients', { skip }, async (t) => {
  const directory = t.testdir({ other: {} });
  const authority = new Authority(directory, 'authority');
  const other = new Authority(join(directory, 'other'), 'other');
  authority.sign('client', 'DNS:client');
  other.sign('client', 'DNS:client');
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const server = await serve(
      (_, response) => response.writeHead(200, { 'content-type': OPENMETRICS }).end(BODY),
      { ...authority.sign('s', 'IP:127.0.0.1'), ca: authority.pair.cert, requestCert: true, rejectUnauthorized: true, maxVersion }, // biome-ignore format: one object
    );
    t.teardown(() => server.close());
    const url = `https://127.0.0.1:${server.port}/metrics`;
    const ca = join(directory, 'authority.pem');
    const pair = (place: string) => ({ ca, cert: join(place, 'client.pem'), key: join(place, 'client.key') });
    t.match(await findings(url, pair(directory)), [/^no_exemplars/]);
    t.match(await findings(url, { ca }), [/client certificate.*--cert FILE and --key FILE/], maxVersion);
    t.match(
      await findings(url, pair(join(directory, 'other'))),
      [/client certificate.*--cert FILE/],
      maxVersion,
    );
  }
});

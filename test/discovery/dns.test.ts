import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DnsDiscovery } from '../../src/discovery/dns.js';
import type { DnsDiscoveryOptions } from '../../src/discovery/options.js';
import { candidates, readSearchOptions } from '../../src/discovery/resolv-conf.js';
import { Found } from '../support/discovery.js';
import { a, aaaa, cname, type DnsAnswer, DnsServer, mx, ns, srv } from '../support/dns-server.js';
import { FakeClock } from '../support/fake-clock.js';
import { until } from '../support/until.js';

async function discover(
  t: Test,
  options: Partial<DnsDiscoveryOptions>,
  answer: DnsServer['answer'],
  otherServers: readonly string[] = [],
) {
  const server = await DnsServer.listen();
  server.answer = answer;
  const clock = new FakeClock();
  const found = new Found(clock);
  const servers = [...otherServers, server.address];
  const defaults = { type: 'dns', names: ['x.test'], recordType: 'SRV', port: 0, refreshIntervalMs: 30_000 } as const; // biome-ignore format: one line
  const discovery = new DnsDiscovery({ ...defaults, servers, ...options }, found.parts, 100);
  found.start(discovery);
  t.teardown(async () => {
    await discovery.stop();
    await server.close();
  });
  /** Until the lookups under way are over. */
  const idle = () => until(() => clock.waitingMs.length === 1, 'the pause after a refresh');
  const next = async (answer: (name: string) => DnsAnswer | undefined) => {
    server.answer = ({ name }) => answer(name);
    await clock.advance(30_000);
    await idle();
  };
  return { server, found, clock, discovery, idle, next };
}

t.test('each kind of record', async (t) => {
  const f = async (options: Partial<DnsDiscoveryOptions>, answer: DnsAnswer, want: object[]) => {
    const { found, idle, server } = await discover(t, options, () => answer);
    await idle();
    const labelled = want.map((target) => ({ ...target, __meta_dns_name: 'x.test' }));
    t.strictSame(found.groups, [{ source: 'x.test', targets: labelled, labels: {} }]);
    t.match(server.asked, [{ name: 'x.test', type: options.recordType }]);
  };
  await f({ recordType: 'SRV' }, { records: [srv(9090, 'web-2.test'), srv(80, 'web-1.test'), srv(1, '.')] }, [
    {
      __address__: 'web-1.test:80',
      __meta_dns_srv_record_target: 'web-1.test.',
      __meta_dns_srv_record_port: '80',
    },
    {
      __address__: 'web-2.test:9090',
      __meta_dns_srv_record_target: 'web-2.test.',
      __meta_dns_srv_record_port: '9090',
    },
  ]);
  await f({ recordType: 'A', port: 80 }, { records: [a('10.0.0.2'), a('10.0.0.1')] }, [
    { __address__: '10.0.0.1:80' },
    { __address__: '10.0.0.2:80' },
  ]);
  const alias = cname('x.test', 'y.test');
  await f({ recordType: 'A', port: 80 }, { records: [alias, { ...a('10.0.0.3'), name: 'y.test' }] }, [
    { __address__: '10.0.0.3:80' },
  ]);
  await f({ recordType: 'AAAA', port: 9 }, { records: [aaaa(0xfd00, 0, 0, 0, 0, 0, 0, 10)] }, [
    { __address__: '[fd00::a]:9' },
  ]);
  await f({ recordType: 'MX', port: 25 }, { records: [mx(10, 'mail.test')] }, [
    { __address__: 'mail.test:25', __meta_dns_mx_record_target: 'mail.test.' },
  ]);
  await f({ recordType: 'NS', port: 53 }, { records: [ns('ns1.test')] }, [
    { __address__: 'ns1.test:53', __meta_dns_ns_record_target: 'ns1.test.' },
  ]);
});

t.test('a name that does not exist has no targets; where a lookup fails, the last stay', async (t) => {
  const { found, next, idle } = await discover(t, { recordType: 'A', port: 1 }, () => ({ records: [a('10.0.0.1')] })); // biome-ignore format: one line
  await idle();
  const failures = () => found.metric('exemplard_discovery_failures_total');
  t.strictSame(found.addresses, ['10.0.0.1:1']);
  await next(() => ({ code: 2 }));
  t.strictSame([found.addresses, await failures()], [['10.0.0.1:1'], 1], 'SERVFAIL');
  await next(() => ({ code: 5 }));
  t.strictSame([found.addresses, await failures()], [['10.0.0.1:1'], 2], 'REFUSED');
  await next(() => undefined);
  t.strictSame([found.addresses, await failures()], [['10.0.0.1:1'], 3], 'no answer');
  t.strictSame(found.answers.length, 1);
  t.match(found.warnings, [/ESERVFAIL/, /EREFUSED/, /ETIMEOUT/]);
  await next(() => ({ records: [a('10.0.0.2'), a('10.0.0.1')] }));
  t.strictSame(
    found.addresses,
    ['10.0.0.1:1', '10.0.0.2:1'],
    'whatever the time to live of the answer before',
  );
  await next(() => ({ records: [a('10.0.0.1'), a('10.0.0.2')] }));
  t.equal(found.answers.length, 2, 'another order is no change');
  await next(() => ({ code: 3 }));
  t.strictSame(found.groups, [{ source: 'x.test', targets: [], labels: {} }], 'NXDOMAIN');
  await next(() => ({ records: [a('10.0.0.3')] }));
  await next(() => ({ records: [] }));
  t.strictSame(found.addresses, [], 'no such records');
  t.equal(await failures(), 3);
});

t.test('an answer too long for UDP is asked for by TCP', async (t) => {
  const records = Array.from({ length: 500 }, (_, i) => srv(9000 + i, `host-${i}.long-name.test`));
  const { server, found, idle } = await discover(t, {}, () => ({ records, isTruncated: true }));
  await idle();
  t.equal(found.addresses.length, 500);
  t.ok(found.addresses.includes('host-499.long-name.test:9499'));
  // A resolver that gets no answer in time asks again.
  t.strictSame([...new Set(server.asked.map(({ transport }) => transport))], ['udp', 'tcp']);
});

t.test('names by themselves: one that fails keeps none of the others back', async (t) => {
  const names = ['a.test', 'b.test', 'c.test', 'a.test'];
  const { found, idle, next, server } = await discover(t, { names, recordType: 'A', port: 1 }, ({ name }) =>
    name === 'b.test' ? { code: 2 } : { records: [a(name === 'a.test' ? '10.0.0.1' : '10.0.0.3')] },
  );
  await idle();
  t.strictSame(
    found.groups.map(({ source }) => source),
    ['a.test', 'c.test'],
  );
  t.equal(server.asked.filter(({ name }) => name === 'a.test').length, 1);
  await next((name) => (name === 'b.test' ? { records: [a('10.0.0.2')] } : { code: 2 }));
  t.strictSame(found.addresses, ['10.0.0.1:1', '10.0.0.2:1', '10.0.0.3:1']);
});

t.test('a name server that is down is passed over', async (t) => {
  const down = await DnsServer.listen();
  await down.close();
  const { found, idle } = await discover(t, { recordType: 'A', port: 1 }, () => ({ records: [a('10.0.0.1')] }), [
    down.address,
  ]); // biome-ignore format: the dead one
  await idle();
  t.strictSame(found.addresses, ['10.0.0.1:1']);
});

t.test('nothing is known until a lookup succeeds; a stop ends those under way', async (t) => {
  const { found, discovery, server, clock } = await discover(t, {}, () => undefined);
  await until(() => server.asked.length > 0, 'a question');
  await discovery.stop();
  t.strictSame([found.answers, found.warnings, clock.waitingMs], [[], [], []]);
});

t.test('search domains of the system', async (t) => {
  const f = (name: string, domains: string[], ndots: number, want: string[]) =>
    t.strictSame(candidates(name, { domains, ndots }), want);
  f('a.test.', ['x'], 1, ['a.test.']);
  f('a.test', ['x', 'y'], 1, ['a.test', 'a.test.x', 'a.test.y']);
  f('a', ['x', 'y'], 1, ['a.x', 'a.y', 'a']);
  f('a.b', ['x'], 5, ['a.b.x', 'a.b']);
  const directory = t.testdir({
    resolv:
      '# c\nnameserver 10.0.0.10\nsearch default.svc.cluster.local svc.cluster.local ; c\noptions ndots:5 edns0\n',
    domain: 'domain a b\noptions ndots:99\n',
  });
  const read = (name: string) => readSearchOptions(join(directory, name));
  t.strictSame(await read('resolv'), {
    domains: ['default.svc.cluster.local', 'svc.cluster.local'],
    ndots: 5,
  });
  t.strictSame(await read('domain'), { domains: ['a'], ndots: 15 });
  t.strictSame(await read('missing'), { domains: [], ndots: 1 });
});

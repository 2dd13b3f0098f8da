import t from 'tap';
import { labelsFromRecord } from '../../src/model/labels.js';
import { DEFAULT_RELABEL_RULE, type RelabelRule } from '../../src/model/relabel.js';
import { batchOf, manySeries } from '../support/batch.js';
import { passing, startForwarding } from '../support/forwarding.js';

const rule = (given: Partial<RelabelRule>): RelabelRule => ({ ...DEFAULT_RELABEL_RULE, ...given });
const [x, y] = manySeries(2) as [ReturnType<typeof manySeries>[0], ReturnType<typeof manySeries>[0]];

t.test(
  'series are relabelled with their external labels; those dropped are counted and not sent',
  async (t) => {
    const { receiver, clock, log, delivered, metric } = await startForwarding(t, {
      externalLabels: labelsFromRecord({ cluster: 'c1', __replica__: 'r' }),
      writeRelabelRules: [
        rule({ sourceLabels: ['n', 'cluster'], regex: '1;c1', action: 'drop' }),
        rule({ sourceLabels: ['cluster'], targetLabel: 'zone', replacement: 'eu-$1' }),
        rule({ regex: 'cluster', action: 'labeldrop' }),
      ],
      exemplarMode: 'self_contained',
    });
    log.append(batchOf([x, y].map((series) => ({ series, timestampMs: clock.nowMs() })), [y])); // biome-ignore format: one line
    await passing(clock, 1000, () => delivered.length === 1, 'delivery');
    t.same(
      receiver.accepted.flatMap(({ series }) => series.map(({ key }) => key)),
      ['__name__=requests_total,__replica__=r,n=0,zone=eu-c1'],
      'labels with underscores are sent, as Prometheus does',
    );
    t.equal(await metric('exemplars_dropped_total', { reason: 'dropped_series' }), 1);
  },
);

t.test('a series left without labels is dropped, too', async (t) => {
  const { receiver, clock, log, delivered, metric } = await startForwarding(t, {
    writeRelabelRules: [rule({ regex: '.*', action: 'labeldrop' })],
  });
  log.append(batchOf([{ series: x, timestampMs: clock.nowMs() }]));
  await passing(clock, 1000, () => delivered.length === 1, 'delivery');
  t.equal(receiver.requests.length, 0);
  t.equal(await metric('exemplars_dropped_total', { reason: 'dropped_series' }), 1);
});

/** One job on the real engine: picks, copies, late spans, and everything done again. */
import t from 'tap';
import { skipWithoutChdb } from '../support/chdb.js';
import {
  id,
  jobOptions,
  OTEL_TRACES,
  openSampling,
  policy,
  START_MS,
  tracesJob,
  WINDOW_MS,
} from '../support/sampling.js';

interface Kept {
  readonly TraceId: string;
  readonly spans: string;
}
const KEPT = 'SELECT TraceId, count() AS spans FROM otel_traces_kept GROUP BY TraceId ORDER BY TraceId';

t.test(
  'spans of what stands for each group are kept, also those that come late',
  skipWithoutChdb(),
  async (t) => {
    const sampling = await openSampling(t);
    const { manager, clock, database } = sampling;
    await database.command(OTEL_TRACES);
    // Two groups; of the first, only the id with the highest hash or value exists.
    await sampling.addExemplars([
      ...[1, 2, 3, 4].map((n) => ({ labels: { path: '/a', le: String(n) }, traceId: id(n), value: n })),
      { labels: { path: '/b', le: '1' }, traceId: id(5) },
      { labels: { path: '/dead' }, traceId: id(6) },
    ]);
    await sampling.addTraces([id(2), id(5), id(99)]);
    await manager.apply([tracesJob({ policies: [policy('representative')] })]);

    const [report] = await manager.runOnce('j');
    t.match(report, {
      errors: [],
      windows: [{ groups: 3, covered: 2, chosen: 3, found: 2, missing: 1, spans: 4 }],
    });
    t.strictSame(await sampling.rows<Kept>(KEPT), [
      { TraceId: id(2), spans: '2' },
      { TraceId: id(5), spans: '2' },
    ]);
    t.equal(await sampling.metric('exemplard_sampler_traces_missing_total{job="j"}'), 1);
    t.equal(await sampling.metric('exemplard_sampler_keep_ratio{job="j"}'), 4 / 6);

    t.strictSame((await manager.runOnce('j'))[0]?.windows, [], 'nothing is due');
    await sampling.addTraces([id(2)], 500, ['late']);
    await sampling.addTraces([id(6)], 500, ['late']);
    clock.jump(5 * 60_000);
    t.match(await manager.runOnce('j'), [
      {
        windows: [
          { window: { startMs: START_MS }, lateSpans: 2, spans: 6, covered: 3, missing: 0 },
          { groups: 0 },
        ],
      },
    ]);
    t.equal(await sampling.number('SELECT count() FROM otel_traces_kept'), 6);
    t.equal(await sampling.metric('exemplard_sampler_late_spans_copied_total{job="j"}'), 2);
    clock.jump(25 * 60_000);
    t.match(await manager.runOnce('j'), [{ errors: [] }]);
    await sampling.addTraces([id(2)], 500, ['too late']);
    clock.jump(60 * 60_000);
    await manager.runOnce('j');
    t.equal(
      await sampling.number('SELECT count() FROM otel_traces_kept'),
      6,
      'after the late window nobody looks',
    );
    t.equal(await sampling.number('SELECT count() FROM trace_keep FINAL'), 3);
    t.equal(WINDOW_MS, jobOptions().windowMs);
  },
);

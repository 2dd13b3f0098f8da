import t from 'tap';
import type { Sink } from '../../src/page/sinks/answer.js';
import { healthOf } from '../../src/page/sinks/health.js';
import { lossesOf, type SinkKind } from '../../src/page/sinks/losses.js';

const sink = (figures: Sink['figures'], parts: Sink['parts'] = {}): Sink => ({ labels: {}, figures, parts });

t.test('losses, the most first', async (t) => {
  t.same(lossesOf('journal', sink({ bytes: 9, write_errors_total: 0 })), []);
  t.same(
    lossesOf(
      'remote_write',
      sink(
        { exemplars_lost_total: 5 },
        { exemplars_dropped_total: { too_old: 7, status_400: 1, shutdown: 0 } },
      ),
    ),
    [
      { reason: 'exemplars dropped: too old', count: 7 },
      { reason: 'exemplars left the journal before they were read', count: 5 },
      { reason: 'exemplars dropped: status 400', count: 1 },
    ],
  );
});

t.test('health', async (t) => {
  const NOW = 1_000_000;
  const says = (kind: SinkKind, figures: Sink['figures']) => healthOf(kind, sink(figures), NOW).text;
  t.equal(says('journal', {}), 'working');
  t.equal(says('journal', { writable: 0 }), 'not writing');

  const forward = (pending: number, retried: number, sentAgo: number) =>
    says('remote_write', {
      exemplars_pending: pending,
      exemplars_retried_total: retried,
      highest_sent_timestamp_seconds: NOW - sentAgo,
      max_samples_per_send: 2000,
    });
  t.equal(forward(0, 5, 9000), 'working', 'nothing to send');
  t.equal(forward(10, 0, 9000), 'working', 'the first after a long silence');
  t.equal(forward(10, 5, 30), 'working', 'a hitch');
  t.equal(forward(10, 5, 90), 'behind by 1m 30s');
  t.equal(forward(2001, 0, 90), 'behind by 1m 30s', 'a slow receiver');
  t.equal(forward(10, 5, NOW), 'nothing sent yet');
  t.equal(forward(10, 0, NOW), 'working', 'just begun');

  t.equal(says('archive', { up: 1, pending_rows: 5, lag_seconds: 3 }), 'working');
  t.equal(says('archive', { up: 1, pending_rows: 5, lag_seconds: 61 }), 'behind by 1m 1s');
  t.equal(says('archive', { up: 0 }), 'not writing');

  t.equal(says('sampler', { pending_windows: 1, lag_seconds: 900 }), 'working');
  t.equal(says('sampler', { pending_windows: 3, lag_seconds: 900 }), 'behind by 3 windows, 15m');
});

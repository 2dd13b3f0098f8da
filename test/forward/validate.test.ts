import t from 'tap';
import { fit, MAX_FUTURE_MS } from '../../src/forward/validate.js';
import type { Batch } from '../../src/model/batch.js';
import { batchOf, type RowInput, seriesOf } from '../support/batch.js';

const nowMs = 1_763_796_000_000;
const row: RowInput = { series: seriesOf(0, { __name__: 'x' }), timestampMs: nowMs };

/** What is said of the second of two rows, so that its labels do not start at byte 0. */
function f(input: Partial<RowInput>, want: string | undefined) {
  t.equal(fit(batchOf([row, { ...row, ...input }]), 1, nowMs), want, JSON.stringify(input));
}

f({}, undefined);
f({ value: Number.NaN }, undefined);
f({ timestampMs: 0 }, 'zero_timestamp');
f({ timestampMs: 1 }, undefined);
f({ timestampMs: nowMs + MAX_FUTURE_MS }, undefined);
f({ labels: {} }, 'blank');
f({ labels: { trace_id: 'x'.repeat(120) } }, undefined);
f({ labels: { trace_id: 'x'.repeat(121) } }, 'too_long');
f({ labels: { trace_id: '漢'.repeat(120) } }, undefined);
f({ labels: { trace_id: '😀'.repeat(120) } }, undefined);
f({ labels: { trace_id: '😀'.repeat(121) } }, 'too_long');
f({ labels: { trace_id: 'x'.repeat(100), span_id: 'y'.repeat(100) } }, 'too_long');

function raw(text: string): Batch {
  const labelBytes = Buffer.from(text, 'latin1');
  return { ...batchOf([row]), labelBytes, labelEnds: Uint32Array.of(labelBytes.length) };
}

/** What is sent instead of these labels, and whether that counts as trimmed. */
function instead(text: string, want: string | readonly [labels: string, isTrimmed: boolean] | undefined) {
  const fitted = fit(raw(text), 0, nowMs);
  const shown = typeof fitted === 'object' ? [fitted.bytes.toString('latin1'), fitted.isTrimmed] : fitted;
  t.strictSame(shown, want, JSON.stringify(text));
}

instead('a\xff1\xffb\xff2\xff', undefined);
instead('a\xff\xff', 'blank');
instead('\xffb\xff', 'blank');
instead('', 'blank');
instead('a\xff\xffc\xffd\xff', ['c\xffd\xff', false]);
instead('a\xff1\xff\xffd\xff', ['a\xff1\xff', false]);
// UTF-8: a whole two-byte character, half of one, one spelt longer than it must be, a surrogate.
instead('a\xff\xc3\xa9\xff', undefined);
instead('a\xff\xc3\xff', 'invalid_utf8');
instead('a\xff\xc0\xaf\xff', 'invalid_utf8');
instead('a\xff\xed\xa0\x80\xff', 'invalid_utf8');
instead('\xc3\xff1\xfftrace_id\xff1\xff', ['trace_id\xff1\xff', true]);
// Too long: whole labels from the end, ids last.
const long = 'x'.repeat(100);
instead(`a\xff${long}\xffb\xff${long}\xfftrace_id\xff1\xff`, [`a\xff${long}\xfftrace_id\xff1\xff`, true]);
instead(`a\xff${long}\xffspanID\xff${long}\xff`, [`spanID\xff${long}\xff`, true]);
instead(`a\xff${long}\xffb\xff${long}\xff`, [`a\xff${long}\xff`, true]);
instead(`traceID\xff${long}\xfftrace_id\xff${long}\xff`, 'too_long');

t.test('what was not in the future when it was scraped is sent, though our clock went back', async (t) => {
  const ahead = batchOf([{ ...row, timestampMs: nowMs + MAX_FUTURE_MS + 1 }]);
  t.equal(fit({ ...ahead, acceptedMs: nowMs }, 0, nowMs), 'future');
  t.equal(fit(ahead, 0, nowMs - 5 * 3_600_000), undefined);
});

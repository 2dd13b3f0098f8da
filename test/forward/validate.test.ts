import t from 'tap';
import { invalidReason, MAX_FUTURE_MS } from '../../src/forward/validate.js';
import type { Batch } from '../../src/model/batch.js';
import { batchOf, type RowInput, seriesOf } from '../support/batch.js';

const nowMs = 1_763_796_000_000;
const row: RowInput = { series: seriesOf(0, { __name__: 'x' }), timestampMs: nowMs };

function f(input: Partial<RowInput>, want: string | undefined) {
  // The second of two rows, so that its labels do not start at byte 0.
  t.equal(invalidReason(batchOf([row, { ...row, ...input }]), 1, nowMs), want, JSON.stringify(input));
}

f({}, undefined);
f({ value: Number.NaN }, undefined);
f({ timestampMs: 0 }, 'zero_timestamp');
f({ timestampMs: 1 }, undefined);
f({ timestampMs: nowMs + MAX_FUTURE_MS }, undefined);
f({ timestampMs: nowMs + MAX_FUTURE_MS + 1 }, 'future');
f({ labels: {} }, 'blank');
f({ labels: { trace_id: 'x'.repeat(120) } }, undefined);
f({ labels: { trace_id: 'x'.repeat(121) } }, 'too_long');
f({ labels: { trace_id: '漢'.repeat(120) } }, undefined);
f({ labels: { trace_id: '😀'.repeat(120) } }, undefined);
f({ labels: { trace_id: '😀'.repeat(121) } }, 'too_long');

function raw(labelBytes: Buffer): Batch {
  return { ...batchOf([row]), labelBytes, labelEnds: Uint32Array.of(labelBytes.length) };
}
t.equal(invalidReason(raw(Buffer.from('a\xff\xff', 'latin1')), 0, nowMs), 'blank', 'name without value');
t.equal(invalidReason(raw(Buffer.from('\xffb\xff', 'latin1')), 0, nowMs), 'blank', 'value without name');
t.equal(
  invalidReason(raw(Buffer.from('a\xff\xffc\xffd\xff', 'latin1')), 0, nowMs),
  undefined,
  'one of two filled',
);

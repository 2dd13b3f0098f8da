import t from 'tap';
import { looksLikeTraceId, type TraceIdProblem, traceIdProblem } from '../../src/doctor/trace-ids.js';

function f(id: string, want: TraceIdProblem | undefined): void {
  t.equal(traceIdProblem(id), want, id);
}

t.test('ids', async () => {
  f('4bf92f3577b34da6a3ce929d0e0e4736', undefined);
  f('00000000000000004bf92f3577b34da6', undefined);
  f('4BF92f3577b34da6a3ce929d0e0e4736', 'upperCase');
  f('4bf92f3577b34da6', 'hex16');
  f('1234567890123456', 'hex16');
  f('4bf92f35-77b3-4da6-a3ce-929d0e0e4736', 'dashes');
  f('0'.repeat(32), 'zeros');
  f('0', 'zeros');
  f('12345678901234567890', 'decimal');
  f('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'other');
  f('KOO5S4vxi0o', 'other');
});

t.test('labels that look like one', async (t) => {
  for (const label of [
    'trace-id',
    'trace.id',
    'TRACE_ID',
    'traceid',
    'dd.trace_id',
    'x_b3_traceid',
    'uber-trace-id',
    'traceparent',
    'trace',
  ])
    t.ok(looksLikeTraceId(label), label);
  for (const label of ['span_id', 'user', 'trace_flags', 'traced', ''])
    t.notOk(looksLikeTraceId(label), label);
});

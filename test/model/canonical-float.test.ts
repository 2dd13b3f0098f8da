import t from 'tap';
import { canonicalFloat } from '../../src/model/canonical-float.js';

const f = (text: string, want: string) => t.equal(canonicalFloat(text), want, text);

t.test('le and quantile as Prometheus 3 rewrites them', async () => {
  f('1', '1.0');
  f('1.0', '1.0');
  f('1e0', '1.0');
  f('+1', '1.0');
  f('0', '0.0');
  f('-0', '0.0');
  f('-1', '-1.0');
  f('0.5', '0.5');
  f('.5', '0.5');
  f('2.50', '2.5');
  f('0.99', '0.99');
  f('100000', '100000.0');
  f('999999', '999999.0');
  f('123456.7', '123456.7');
  f('1000000', '1e+06');
  f('2500000', '2.5e+06');
  f('123456789', '1.23456789e+08');
  f('1234567.5', '1.2345675e+06');
  f('1e21', '1e+21');
  f('1e100', '1e+100');
  f('0.0001', '0.0001');
  f('0.00001', '1e-05');
  f('0.000012', '1.2e-05');
  f('5e-324', '5e-324');
  f('0.1', '0.1');
  f('inf', '+Inf');
  f('+Inf', '+Inf');
  f('Infinity', '+Inf');
  f('-inf', '-Inf');
  f('nan', 'NaN');
});

t.test('what is no number, or out of range, stays as it is', async () => {
  for (const text of ['', 'high', '1 ', '1,5', '+nan', '1e999', '-1e999', '--1', '.']) f(text, text);
});

import t from 'tap';
import { type ExpositionFormat, expositionFormat } from '../../src/exposition/content-type.js';
import { cpuMs } from '../support/cpu-time.js';

type Want = ExpositionFormat | 'error';

/** @param withFallback the format where classic text is the fallback */
function f(contentType: string | undefined, want: Want, withFallback: Want): void {
  const result = expositionFormat(contentType, undefined);
  t.equal('format' in result ? result.format : 'error', want, `${contentType}`);
  const fallback = expositionFormat(contentType, 'text');
  t.equal('format' in fallback ? fallback.format : 'error', withFallback, `${contentType} with a fallback`);
}

t.test("Prometheus' table", async () => {
  f(undefined, 'error', 'text');
  f('', 'error', 'text');
  f('  ', 'error', 'text');
  f('application/openmetrics-text', 'openmetrics', 'openmetrics');
  f('application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics', 'openmetrics');
  f('application/openmetrics-text;version=99;escaping=underscores', 'openmetrics', 'openmetrics');
  f('Application/OpenMetrics-Text', 'openmetrics', 'openmetrics');
  f(' application/openmetrics-text ; version="1.0.0" ;', 'openmetrics', 'openmetrics');
  f('text/plain', 'text', 'text');
  f('text/plain; version=0.0.4; charset=utf-8', 'text', 'text');
  f(
    'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
    'protobuf',
    'protobuf',
  );
  f('application/json', 'error', 'text');
  f('text/html; charset=utf-8', 'error', 'text');
  f('application/openmetrics-text2', 'error', 'text');
  f('application/openmetrics-text; =', 'error', 'text');
  f('application/openmetrics-text, text/plain', 'error', 'text');
  f('openmetrics', 'error', 'text');
  f('; version=1', 'error', 'text');
});

t.test('the error says what came and what would help', async (t) => {
  t.match(expositionFormat('text/html', undefined), {
    error:
      'received unsupported Content-Type "text/html" and no fallback_scrape_protocol specified for target',
  });
  t.match(expositionFormat(undefined, undefined), {
    error: /blank Content-Type and no fallback_scrape_protocol/,
  });
});

t.test('a long header costs linear time', async (t) => {
  const beforeMs = cpuMs();
  expositionFormat(`text/plain${'; a=b'.repeat(20_000)} !`, undefined);
  expositionFormat(`text/plain;${' '.repeat(100_000)}!`, undefined);
  t.ok(cpuMs() - beforeMs < 1000);
});

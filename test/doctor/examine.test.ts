import { gzipSync } from 'node:zlib';
import t from 'tap';
import type { Examination, Exposition } from '../../src/doctor/examination.js';
import { examine } from '../../src/doctor/examine.js';
import type { Finding } from '../../src/doctor/finding.js';
import { cpuMs } from '../support/cpu-time.js';
import { fuzzBounds } from '../support/fuzz.js';
import fc from '../support/properties.js';

const NOW_MS = 1_763_796_000_000;
const NOW = NOW_MS / 1000;
const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const ID = '4bf92f3577b34da6a3ce929d0e0e4736';

function exposition(text: string, contentType: string | undefined = OPENMETRICS): Exposition {
  const body = Buffer.from(text);
  const format = contentType?.startsWith('text/plain') === true ? 'text' : 'openmetrics';
  return { body, length: body.length, textFormat: format, format, contentType, isAnswer: true };
}

function examineText(text: string, contentType?: string): Examination {
  return examine(exposition(text, contentType), { nowMs: NOW_MS });
}

/** Of a counter with these exemplars, a line each. */
function examineExemplars(...exemplars: readonly string[]): Examination {
  const lines = exemplars.map((exemplar, i) => `a_total{i="${i}"} 1 # ${exemplar}`);
  return examineText(['# TYPE a counter', ...lines, '# EOF', ''].join('\n'));
}

const codes = ({ findings }: Examination) => findings.map(({ code }) => code);

function only(examination: Examination, code: string): Finding {
  t.same(codes(examination), [code]);
  return examination.findings[0]!;
}

t.test('a sound body', async (t) => {
  const body = [
    '# TYPE go_goroutines gauge',
    'go_goroutines 7',
    '# TYPE a_seconds histogram',
    '# UNIT a_seconds seconds',
    `a_seconds_bucket{le="1.0"} 1 # {trace_id="${ID}"} 0.5 ${NOW - 3}`,
    'a_seconds_bucket{le="+Inf"} 1',
    '# EOF\n',
  ].join('\n');
  const examination = examineText(body);
  t.match(examination, {
    format: 'openmetrics',
    bytes: body.length,
    verdicts: { openmetrics: 'accept', prometheus: 'accept' },
    errors: [],
    prometheusError: undefined,
    library: { name: 'client_golang' },
    seriesLines: 3,
    exemplars: 1,
    familiesLeftOut: 0,
    findings: [],
  });
  t.same(examination.families, [
    { name: 'a_seconds', type: 'histogram', unit: 'seconds', series: 2, exemplars: 1, bytes: body.indexOf('# EOF') - body.indexOf('# TYPE a') }, // biome-ignore format: one family
    { name: 'go_goroutines', type: 'gauge', unit: '', series: 1, exemplars: 0, bytes: 42 + 1 },
  ]);
});

t.test('the classic format', async (t) => {
  const next = (text: string) => only(examineText(text, TEXT), 'text_format_only').next;
  t.match(next('# TYPE go_info gauge\ngo_info 1\n'), /EnableOpenMetrics: true/);
  t.match(next('jvm_threads_live_threads 1\n'), /Micrometer 1\.9/);
  t.match(next('python_info 1\n'), /choose_encoder/);
  t.match(next('nodejs_version_info 1\n'), /OPENMETRICS_CONTENT_TYPE/);
  t.match(next('dotnet_total_memory_bytes 1\n'), /prometheus-net 8/);
  t.match(next('target_info{telemetry_sdk_language="nodejs"} 1\n'), /only writes the classic format/);
  t.match(next('target_info{telemetry_sdk_language="go"} 1\ngo_info 1\n'), /enable_open_metrics/);
  const unknown = next('a 1\n');
  for (const name of ['client_golang', 'Micrometer', 'client_python', 'prom-client', 'prometheus-net'])
    t.match(unknown, name);
  t.match(examineText('a 1\n', TEXT), {
    verdicts: { openmetrics: 'reject', prometheus: 'accept' },
    errors: [],
  });
  const withExemplars = examineText(`a_total 1 # {trace_id="${ID}"} 1 ${NOW}\n`, TEXT);
  t.same(codes(withExemplars), ['exemplars_in_text_format', 'prometheus_rejects', 'exemplars_misplaced']);
  t.match(withExemplars, {
    exemplars: 1,
    verdicts: { prometheus: 'reject' },
    errors: [{ line: 1, column: 11 }],
  });
});

t.test('content types', async (t) => {
  const sound = `# TYPE a counter\na_total 1 # {trace_id="${ID}"} 1 ${NOW}\n# EOF\n`;
  const withType = (contentType: string | undefined) =>
    examine({ ...exposition(sound), contentType }, { nowMs: NOW_MS });
  t.match(only(withType(undefined), 'content_type_missing'), { severity: 'error', next: /openmetrics-text/ });
  only(withType('  '), 'content_type_missing');
  only(withType('application/json'), 'content_type_unusable');
  t.match(only(withType('text/html; charset=utf-8'), 'answer_is_html').next, /Check the path/);
  t.same(
    codes(examine({ ...exposition(sound), contentType: undefined, isAnswer: false }, { nowMs: NOW_MS })),
    [],
  );
});

t.test('what Prometheus makes of a Content-Type is part of its verdict', async (t) => {
  const sound = exposition(`# TYPE a counter\na_total 1 # {trace_id="${ID}"} 1 ${NOW}\n# EOF\n`);
  const missing = examine({ ...sound, contentType: undefined }, { nowMs: NOW_MS });
  t.match(missing, {
    verdicts: { openmetrics: 'accept', prometheus: 'reject' },
    prometheusError: undefined,
    contentTypeError: /blank Content-Type/,
  });
  const fallback = examine({ ...sound, contentType: 'a/b' }, { nowMs: NOW_MS, hasFallback: true });
  t.match(fallback, { verdicts: { prometheus: 'accept' }, contentTypeError: undefined });
  t.match(only(fallback, 'content_type_fallback'), { severity: 'info', message: /"a\/b".*stands in/ });
  t.same(codes(examine(sound, { nowMs: NOW_MS, hasFallback: true })), []);
  const empty = examine({ ...exposition(''), contentType: undefined }, { nowMs: NOW_MS });
  t.match(only(empty, 'no_samples').message, 'The body is empty');
  t.match(empty, { verdicts: { prometheus: 'accept' } });
});

t.test('exemplars in text/plain that are read', async (t) => {
  const read = (text: string) => examine(exposition(text, TEXT), { nowMs: NOW_MS, readsTextExemplars: true });
  const withExemplars = read(`# TYPE a_total counter\na_total 1 # {trace_id="${ID}"} 1 ${NOW}\n`);
  t.same(
    codes(withExemplars).filter((code) => /text/.test(code)),
    [],
  );
  t.match(only(read('a 1\n'), 'no_exemplars').message, /^No line carries/);
});

t.test('what is not metrics at all', async (t) => {
  const looks = (body: Buffer | string, code: string, message: RegExp) => {
    const bytes = Buffer.from(body as string);
    for (const format of ['openmetrics', 'text'] as const) {
      const given = { ...exposition(''), body: bytes, length: bytes.length, textFormat: format, format };
      const examination = examine({ ...given, isAnswer: false }, { nowMs: NOW_MS });
      t.match(only(examination, code), { severity: 'error', message });
      t.match(examination.verdicts, { prometheus: 'reject' });
    }
  };
  const page = '<!DOCTYPE html>\n<html><body>a 1</body></html>\n';
  const metrics = 'a 1\nb 2\n# EOF\n';
  looks(gzipSync(metrics), 'body_is_gzip', /is gzip/);
  looks(Buffer.from(`\ufeff${metrics}`, 'utf16le'), 'body_is_utf16', /UTF-16/);
  looks(Buffer.from(metrics, 'utf16le'), 'body_is_utf16', /UTF-16/);
  looks(page, 'answer_is_html', /web page/);
  looks('<?xml version="1.0"?>\n<a/>\n', 'not_metrics', /XML/);
  looks('{"status": "ok"}\n', 'not_metrics', /JSON/);
  looks(Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 37 + 1) % 256)), 'not_metrics', /binary/);
  looks('root:x:0:0:root:/root:/bin/bash\nbin:x:1:1:bin:/bin:/sbin/nologin\n', 'not_metrics', /another kind/);
  t.notOk(codes(examineText('{"a"} 1\n# EOF\n')).includes('not_metrics'), 'a name between quotes');
  t.ok(codes(examineText('a_total{b=c} 1\n')).includes('prometheus_rejects'), 'a slip of the pen');
  const malformed = codes(examineText('# TYPE a counter\na_total{b=c} 1\n# EOF\n'));
  t.same(malformed, ['prometheus_rejects', 'specification_violated'], 'no word on a right format');
});

t.test('times in other units', async (t) => {
  const millis = examineExemplars(`{trace_id="${ID}"} 1 ${NOW_MS - 5000}`);
  t.match(only(millis, 'exemplars_in_future'), { message: /looks like milliseconds/, next: /in seconds/ });
  t.match(
    only(examineExemplars(`{trace_id="${ID}"} 1 ${NOW + 7200}`), 'exemplars_in_future').message,
    /2 hours/,
  );
});

t.test('no exemplars', async (t) => {
  const none = (text: string) => only(examineText(`${text}\n# EOF\n`), 'no_exemplars');
  t.match(none('# TYPE go_info gauge\ngo_info 1').next, /ObserveWithExemplar/);
  t.match(none('# TYPE python info\npython_info 1').next, /multiprocess mode/);
  t.match(none('# TYPE a gauge\na 1'), { severity: 'warning', next: /trace_id/ });
  t.same(codes(examineText('# EOF\n')), ['no_samples']);
  t.match(examineText(''), { verdicts: { openmetrics: 'reject', prometheus: 'accept' } });
});

t.test('exemplars that are refused', async (t) => {
  const long = examineExemplars(
    `{trace_id="${ID}",x="${'y'.repeat(88)}"} 1 ${NOW}`,
    `{trace_id="${ID}"} 1 ${NOW}`,
  );
  t.same(codes(long), ['exemplars_too_long', 'specification_violated']);
  t.match(long.findings[0], { count: 1, line: 2, column: 20, message: /^1 exemplar have|129/ });
  const malformed = examineExemplars(`{trace_id="${ID}"} 1 ${NOW} 5`, '{trace_id=x} 1', '{} 1 Inf');
  t.match(
    malformed.findings.find(({ code }) => code === 'exemplars_malformed'),
    {
      severity: 'error',
      count: 3,
      line: 2,
      message: /nothing may follow the exemplar/,
    },
  );
  t.match(malformed.verdicts, { openmetrics: 'reject', prometheus: 'reject' });
  t.match(only(examineExemplars('{} 1 1', '{trace_id=""} 1 1'), 'exemplars_blank'), {
    count: 2,
    severity: 'warning',
  });
  const future = examineExemplars(`{trace_id="${ID}"} 1 ${NOW + 599}`, `{trace_id="${ID}"} 1 ${NOW + 7300}`);
  t.match(only(future, 'exemplars_in_future'), { count: 1, line: 3, message: /10m ahead .*up to 2 hours/ });
});

t.test('exemplars that lead nowhere', async (t) => {
  const named = examineExemplars(...['trace-id', 'trace.id'].map((name) => `{"${name}"="${ID}"} 1 ${NOW}`));
  t.match(
    named.findings.filter(({ code }) => code === 'trace_id_label_unmatched').map(({ message }) => message),
    [
      /label trace-id, which links look for by the exact name \(trace_id, traceID, TraceID, traceId\)/,
      /trace\.id/,
    ],
  );
  t.match(
    only(examineExemplars(`{TRACE_ID="${ID}"} 1 ${NOW}`), 'trace_id_label_unmatched').next,
    /trace_id_labels/,
  );
  t.match(
    only(examineExemplars(`{dd_trace_id="1"} 1 ${NOW}`), 'trace_id_label_unmatched').message,
    'dd_trace_id',
  );
  t.match(
    only(examineExemplars(`{user="1",span_id="2"} 1 ${NOW}`), 'trace_id_label_missing').message,
    /span_id, user/,
  );
  const elsewhere = `{target="127.0.0.1:9464/metrics",shard="12"} 1 ${NOW}`;
  t.match(
    only(examineExemplars(elsewhere), 'trace_id_label_missing'),
    { severity: 'info', next: /^Nothing to do where/ },
    'no trace was meant, it seems',
  );
  for (const hint of [
    `{trace_id="${ID}"} 1 ${NOW}`,
    `{spanId="1"} 1 ${NOW}`,
    `{request="4bf92f35-77b3-4da6-a3ce-929d0e0e4736"} 1 ${NOW}`,
    `{id="${ID}"} 1 ${NOW}`,
  ])
    t.match(
      only(examineExemplars(elsewhere, hint), 'trace_id_label_missing'),
      { severity: 'warning', next: /^Add the label/ },
      hint,
    );
  const ids: readonly (readonly [string, string])[] = [
    ['00f067aa0ba902b7', 'trace_id_hex16'],
    [ID.toUpperCase(), 'trace_id_upper_case'],
    ['4bf92f35-77b3-4da6-a3ce-929d0e0e4736', 'trace_id_dashes'],
    ['0'.repeat(32), 'trace_id_zeros'],
    ['123456789012345678', 'trace_id_decimal'],
    ['abc', 'trace_id_other'],
  ];
  for (const [id, code] of ids) {
    const finding = only(examineExemplars(`{traceID="${id}"} 1 ${NOW}`), code);
    t.match(finding, { severity: 'warning', count: 1, line: 2, column: 20 });
    t.match(finding.message, id);
  }
  const own = examine(exposition(`# TYPE a counter\na_total 1 # {my_id="${ID}"} 1 ${NOW}\n# EOF\n`), {
    nowMs: NOW_MS,
    traceIdLabels: ['my_id'],
  });
  t.same(codes(own), []);
});

t.test('times and places', async (t) => {
  const old = examineExemplars(
    `{trace_id="${ID}"} 1 ${NOW - 86_400 * 3}`,
    `{trace_id="${ID}"} 1 ${NOW - 601}`,
  );
  t.match(only(old, 'exemplars_old'), { severity: 'info', count: 2, message: /up to 3 days/, next: /9377/ });
  t.match(only(examineExemplars(`{trace_id="${ID}"} 1`), 'exemplars_without_timestamp'), { count: 1 });
  const gauge = examineText(`# TYPE a gauge\na 1 # {trace_id="${ID}"} 1 ${NOW}\n# EOF\n`);
  t.same(codes(gauge), ['specification_violated', 'exemplars_misplaced']);
  const whole = examineText(`# TYPE a histogram\na 1 # {trace_id="${ID}"} 1\n# EOF\n`);
  t.ok(codes(whole).includes('exemplars_without_timestamp_on_native_histogram'));
});

t.test('series and families', async (t) => {
  const repeated = examineText('# TYPE a gauge\na{b="c"} 1\na{b="d"} 1\na{b="c"} 2\na{b="d"} 3\na{b="e"} 1 1\na{b="e"} 1 2\n# EOF\n'); // biome-ignore format: one body
  t.match(
    repeated.findings.find(({ code }) => code === 'series_repeated'),
    { count: 2, line: 4 },
  );
  const counter = examineText('# TYPE a counter\na{b="c"} 1\na{b="d"} 1\n# EOF\n');
  t.match(
    counter.findings.find(({ code }) => code === 'counter_without_total'),
    { count: 1, message: /: a\.$/ },
  );
  t.notOk(codes(examineText('# TYPE a_total counter\na_total 1\n', TEXT)).includes('counter_without_total'));
  const go = examineText('# TYPE go_info gauge\ngo_info 1\n# TYPE a unknown\na 1\n# EOF\n');
  t.match(
    go.findings.find(({ code }) => code === 'type_unknown'),
    { severity: 'info', message: /a for one/ },
  );
});

t.test('protobuf says itself what is of no type', async (t) => {
  const text = exposition('# TYPE go_info gauge\ngo_info 1\n# TYPE a unknown\na 1\n# EOF\n');
  t.notOk(codes(examine({ ...text, format: 'protobuf' }, { nowMs: NOW_MS })).includes('type_unknown'));
});

t.test('protobuf is not judged by its text', async (t) => {
  const examination = examine(
    { ...exposition(`a_total 1 # {trace_id="${ID}"} 1 ${NOW}\n# EOF\n`), format: 'protobuf' },
    { nowMs: NOW_MS },
  );
  t.match(examination, { format: 'protobuf', verdicts: undefined, errors: [], exemplars: 1 });
});

t.test('what is returned has bounds', async (t) => {
  const lines = Array.from(
    { length: 3000 },
    (_, i) => `# TYPE a${i} meh\na${i} 1 # {trace${'x'.repeat(i)}id="${i}"} 1`,
  );
  const examination = examineText(`${lines.join('\n')}\n# EOF\n`);
  t.equal(examination.families.length, 500);
  t.equal(examination.familiesLeftOut, 2500);
  t.equal(examination.errors.length, 100);
  t.ok(JSON.stringify(examination).length < 200_000);
  const names = Array.from({ length: 200 }, (_, i) => `a_total{i="${i}"} 1 # {x${i}_trace_id="${ID}"} 1 1\n`);
  t.ok(examineText(`${names.join('')}# EOF\n`).findings.length < 30);
});

const PIECES = ['a', 'a_total', '{', '}', '{}', '"', '=', ',', ' ', '\n', '\r', '# ', '# HELP ', '# TYPE ', 'counter', 'histogram', 'constructor', '__proto__', '1', 'NaN', ' # {', '} 1', '} 1 2', 'trace_id="', 'traceID="0"', '\\', '\0', '\xff', 'ü', '# EOF\n', 'a_total 1 # {trace_id="d"} 1 2\n', '# TYPE a counter\n']; // biome-ignore format: a list

t.test('any bytes are examined', async () => {
  const texts = fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(
      fc.oneof(
        texts.map((text) => Buffer.from(text)),
        texts.map((text) => Buffer.from(text, 'latin1')),
        fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      ),
      fc.constantFrom('openmetrics', 'text'),
      (body, format) => {
        const { findings } = examine(
          { body, length: body.length, textFormat: format, format, contentType: undefined, isAnswer: true },
          { nowMs: NOW_MS },
        );
        return findings.every(({ message, next }) => message.length < 2000 && next.length < 3000);
      },
    ),
    fuzzBounds(3000),
  );
});

t.test('time is linear in the length', async (t) => {
  const times = 100_000;
  const hostile: Readonly<Record<string, string>> = {
    hashes: '#\n'.repeat(times),
    'hashes behind series': 'a 1 #\n'.repeat(times),
    'open exemplars': 'a 1 # {\n'.repeat(times),
    'one long exemplar': `a 1 # {${'b="c",'.repeat(times)}} 1`,
    'exemplars in a row': `a 1${' # {b="c"} 1'.repeat(times)}`,
    'names that change': Array.from({ length: times }, (_, i) => `a${i} 1\n`).join(''),
    'label names that change': Array.from({ length: times }, (_, i) => `a 1 # {b${i}="c"} 1\n`).join(''),
    'a long number': `a ${'1'.repeat(times)}x # {} 1`,
    'a long exemplar number': `a 1 # {b="c"} ${'1'.repeat(times)}x`,
    'open quotes': 'a{b="\n'.repeat(times),
  };
  for (const [name, text] of Object.entries(hostile)) {
    const beforeMs = cpuMs();
    examineText(`${text}\n# EOF\n`);
    const tookMs = cpuMs() - beforeMs;
    t.ok(tookMs < 3000, `${name}: ${tookMs.toFixed(0)} ms for ${(text.length / 1e6).toFixed(1)} MB`);
  }
});

import t from 'tap';
import { openmetricsVerdict } from '../../../src/exposition/verdict/openmetrics.js';
import { prometheusVerdict } from '../../../src/exposition/verdict/prometheus.js';
import { fuzzBounds } from '../../support/fuzz.js';
import fc from '../../support/properties.js';

/** What bodies are made of, so that many get far. */
const PIECES = [
  'a', 'a_total', 'a_bucket', '{', '}', '{}', '"', '=', ',', ' ', '\n', '#', '# ', '# HELP ', '# TYPE ', '# UNIT ',
  'counter', 'histogram', 'stateset', '1', '-1', '1.5', 'NaN', '+Inf', '1e400', ' # {', '} 1', '} 1 2', 'le="1"',
  'le="+Inf"', 'b="c"', '\\', '\\"', '\\n', '\t', '\r', '\0', '\xff', 'ü', '𝄞', '# EOF', '# EOF\n',
  'a_total{b="c"} 1 # {trace_id="d"} 1 2\n', '# TYPE a counter\n', 'a_bucket{le="1"} 1\n', 'a_count 1\n',
]; // biome-ignore format: a list

const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }).map((pieces) => Buffer.from(pieces.join(''))),
  fc
    .array(fc.constantFrom(...PIECES), { maxLength: 40 })
    .map((pieces) => Buffer.from(pieces.join(''), 'latin1')),
);

t.test('any bytes get a verdict, with a place inside of them', async (t) => {
  fc.assert(
    fc.property(bodies, fc.nat(5), (body, cut) => {
      const length = Math.max(0, body.length - cut);
      const text = body.subarray(0, length).toString('latin1');
      const lines = text.split('\n').length;
      const errors = [
        ...openmetricsVerdict(body, length),
        prometheusVerdict(body, length, 'openmetrics') ?? [],
        prometheusVerdict(body, length, 'text') ?? [],
      ].flat();
      for (const { line, column, message } of errors) {
        if (!(line >= 1 && line <= lines && column >= 1 && message.length < 1000)) return false;
      }
      const copy = Buffer.from(body.subarray(0, length));
      t.same(openmetricsVerdict(copy, length), openmetricsVerdict(body, length));
      return true;
    }),
    fuzzBounds(3000),
  );
});

t.test('what the specification accepts, Prometheus accepts', async () => {
  fc.assert(
    fc.property(bodies, (body) => {
      const isAccepted = openmetricsVerdict(body, body.length).length === 0;
      return !isAccepted || prometheusVerdict(body, body.length, 'openmetrics') === undefined;
    }),
    fuzzBounds(3000),
  );
});

t.test('time is linear in the length, whatever stands there', async (t) => {
  const times = 200_000;
  const hostile: Readonly<Record<string, string>> = {
    'one label, many times': `a{${'b="c",'.repeat(times)}} 1`,
    'many labels': `a{${Array.from({ length: times }, (_, i) => `b${i}="c"`)}} 1`,
    'many exemplar labels': `a 1 # {${Array.from({ length: times }, (_, i) => `b${i}="c"`)}} 1`,
    'a long number': `a ${'1'.repeat(times)}x`,
    'a long fraction': `a 0.${'1'.repeat(times)}`,
    'a long exponent': `a 1e${'1'.repeat(times)}`,
    'a long name': `${'a'.repeat(times)} 1`,
    'open quotes': 'a{b="c\n'.repeat(times),
    'open quoted names': '{"\n'.repeat(times),
    backslashes: `a{b="${'\\'.repeat(times)}"} 1`,
    hashes: '#\n'.repeat(times),
    comments: '# x\n'.repeat(times),
    families: Array.from({ length: times }, (_, i) => `# TYPE a${i} histogram\n`).join(''),
    'samples of one family': Array.from({ length: times }, (_, i) => `a{b="${i}"} 1\n`).join(''),
    'one sample': 'a 1\n'.repeat(times),
    'metadata of one family': `# HELP a ${'x'.repeat(times)}\n`.repeat(10),
    NULs: '\0'.repeat(times),
    'NULs behind hashes': '#\0'.repeat(times),
    spaces: ' '.repeat(times),
  };
  for (const [name, text] of Object.entries(hostile)) {
    const body = Buffer.from(`${text}\n# EOF\n`);
    const before = process.cpuUsage();
    openmetricsVerdict(body, body.length);
    prometheusVerdict(body, body.length, 'openmetrics');
    prometheusVerdict(body, body.length, 'text');
    const { user, system } = process.cpuUsage(before);
    const tookMs = (user + system) / 1000;
    // What is quadratic takes minutes.
    t.ok(tookMs < 15_000, `${name}: ${tookMs.toFixed(0)} ms for ${(body.length / 1e6).toFixed(1)} MB`);
  }
});

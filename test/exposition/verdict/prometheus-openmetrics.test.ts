import t from 'tap';
import { prometheusVerdict } from '../../../src/exposition/verdict/prometheus.js';

const ACCEPT = undefined;

/** @param want the message, or its beginning; with `line:column: ` before it where that is of interest */
function f(body: string | Buffer, want: string | undefined): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const error = prometheusVerdict(bytes, bytes.length, 'openmetrics');
  const name = JSON.stringify(String(body).slice(0, 80));
  if (want === undefined || error === undefined) {
    t.equal(error === undefined ? undefined : `${error.line}:${error.column}: ${error.message}`, want, name);
    return;
  }
  const at = /^\d+:\d+: /.test(want) ? `${error.line}:${error.column}: ` : '';
  t.equal(`${at}${error.message}`.slice(0, want.length), want, name);
}

/** A sample line that ends as it must. */
const line = (text: string) => `${text}\n# EOF\n`;

t.test('what holds a body together', async () => {
  f('', ACCEPT);
  f('# EOF', ACCEPT);
  f('# EOF\n', ACCEPT);
  f('a 1\n', '2:1: data does not end with # EOF');
  f('a 1', '1:4: data does not end with # EOF');
  f('# EOF\n\n', '2:1: unexpected data after # EOF');
  f('# EOF\r\n', '1:6: unexpected data after # EOF');
  f('a 1\n# EOF a', 'unexpected data after # EOF');
  f('\n# EOF\n', '1:1: expected a valid start token, got "\\n" ("INVALID") while parsing: "\\n"');
  f(' # EOF\n', 'expected a valid start token, got " " ("INVALID") while parsing: " "');
  f('#EOF\n', 'expected a valid start token, got "#E" ("INVALID") while parsing: "#E"');
  f(line('# some words'), '1:1: expected a valid start token, got "# s" ("INVALID")');
  f(line('9 1'), 'expected a valid start token, got "9" ("INVALID")');
});

t.test('metadata', async () => {
  f(line('# TYPE a counter\n# HELP a x\n# TYPE a gauge'), ACCEPT);
  for (const type of [
    'counter',
    'gauge',
    'histogram',
    'gaugehistogram',
    'summary',
    'info',
    'stateset',
    'unknown',
  ])
    f(line(`# TYPE a ${type}`), ACCEPT);
  f(line('# TYPE a untyped'), '1:10: invalid metric type "untyped"');
  f(line('# TYPE a gauge '), 'invalid metric type "gauge "');
  f(line('# TYPE a gauge\r'), 'invalid metric type "gauge\\r"');
  f(line('# TYPE a'), '1:9: expected text in TYPE');
  f(line('# HELP a'), 'expected text in HELP');
  f(line('# HELP a '), ACCEPT);
  f('# HELP a x', 'expected text in HELP');
  f(line('# TYPE '), 'expected metric name after TYPE, got "\\n" ("INVALID") while parsing: "# TYPE \\n"');
  f(line('# UNIT a_s s'), ACCEPT);
  f(line('# UNIT a_s '), ACCEPT);
  f(line('# UNIT a s'), 'unit "s" not a suffix of metric "a"');
  f(line('# UNIT as s'), 'unit "s" not a suffix of metric "as"');
  f(line('# UNIT s s'), 'unit "s" not a suffix of metric "s"');
  f(line('# TYPE "a.b" counter'), ACCEPT);
  f(line('# TYPE "a.b counter'), 'expected metric name after TYPE');
  f(Buffer.from('# HELP a \xff\n# EOF\n', 'latin1'), 'help text "\\xff" is not a valid utf8 string');
  f(Buffer.from('# UNIT a_\xff \xff\n# EOF\n', 'latin1'), 'expected text in UNIT');
});

t.test('series', async () => {
  f(line('a{} 1\na{b="c"} 1\na{b="c",} 1\na{b="c",d=""} 1\n:x:{_="1"} 1'), ACCEPT);
  f(line('{"a.b"} 1\n{"a.b",c="d"} 1\n{c="d","a.b"} 1\na{"c.d"="e"} 1'), ACCEPT);
  f(line('a{b="\\"\\\\\\n\\x"} 1'), ACCEPT);
  f(line('a'), '1:2: expected value after metric, got "\\n" ("INVALID") while parsing: "a\\n"');
  f('a', 'expected value after metric, got "a" ("EOF") while parsing: "a"');
  f(line('a.b 1'), 'expected value after metric, got "." ("INVALID")');
  f(line('a{b} 1'), 'expected equal, got "} " ("BCLOSE")');
  f(line('a{"b"} 1'), 'metric name already set while parsing: "a{\\"b\\"}"');
  f(line('{"a","b"} 1'), 'metric name already set');
  f(line('{b="c"} 1'), 'metric name not set while parsing: "{b=\\"c\\"} 1"');
  f(line('{} 1'), 'metric name not set');
  f(line("a{b='c'} 1"), '1:5: expected label value, got "\'" ("INVALID") while parsing: "a{b=\'"');
  f(line('a{b=} 1'), 'expected label value, got "}" ("INVALID")');
  f(line('a{,b="c"} 1'), 'expected label name, got ",b" ("COMMA") while parsing: "a{,b"');
  f(line('a{b="c",,d="e"} 1'), 'expected label name, got ",d" ("COMMA")');
  f(line('a{b="c"d="e"} 1'), 'expected comma or brace close, got "d=" ("LNAME")');
  f(line('a{b="c", d="e"} 1'), 'expected label name, got " " ("INVALID")');
  f(line('a{b="c'), 'expected label value, got "\\"c\\n" ("INVALID")');
  f(line('a{b="c\\'), 'expected label value, got');
  f(line('a{1="c"} 1'), 'expected label name, got "1" ("INVALID")');
  f(
    line('a {b="c"} 1'),
    'strconv.ParseFloat: parsing "{b=\\"c\\"}": invalid syntax while parsing: "a {b=\\"c\\"}"',
  );
  f(line('a{b="c"}1'), 'expected value after metric, got "1" ("INVALID")');
  f(line('a{b="c"}{} 1'), 'expected value after metric, got "{}" ("BOPEN")');
  f(Buffer.from('a{b="\xff"} 1\n# EOF\n', 'latin1'), '1:5: invalid UTF-8 label value: "\\"\\xff\\""');
  f(line('a{bä="ü"} 1'), '1:4: expected equal, got "\\xc3" ("INVALID")');
});

t.test('what the append of a sample refuses', async () => {
  f(line('a{b="1",b="2"} 1'), '1:1: label name "b" is not unique: invalid sample');
  f(line('a{b="1",b="1"} 1'), 'label name "b" is not unique');
  f(line('x 1\na{b="1",c="2",b="2"} 1\ny'), '2:1: label name "b" is not unique');
  f(line('a{b="1","b"="2"} 1'), 'label name "b" is not unique');
  f(line('a{"b\\"c"="1","b\\"c"="2"} 1'), 'label name "b"c" is not unique');
  // Where a value is empty, all labels of the name go.
  f(line('a{b="1",b=""} 1'), ACCEPT);
  f(line('a{b="",b=""} 1'), ACCEPT);
  f(line('a{__name__="b"} 1'), 'label name "__name__" is not unique');
  f(line('a{__name__=""} 1'), 'missing metric name (__name__ label)');
  f(line('{""} 1'), 'missing metric name (__name__ label)');
  f(line('{"a",""="b"} 1'), 'invalid metric name or label names');
  f(Buffer.from('{"a\xff"} 1\n# EOF\n', 'latin1'), 'invalid metric name or label names');
  const names = Array.from({ length: 40 }, (_, i) => `l${i}="x"`);
  f(line(`a{${names}} 1`), ACCEPT);
  f(line(`a{${names},l7="y"} 1`), 'label name "l7" is not unique');
});

t.test('values and timestamps', async () => {
  const values = ['1', '-1', '+1', '1.', '.5', '1e3', '1E-3', '-0', 'NaN', 'nan', 'Inf', '+inf', '-INFINITY', '1e-999', '0'.repeat(400)]; // biome-ignore format: one line
  for (const value of values) f(line(`a ${value}`), ACCEPT);
  for (const value of ['x', '1x', '-', '.', '1e', 'e1', '+NaN', 'in', '--1', '0x1', '1,0', '1\t', '1\r'])
    f(line(`a ${value}`), 'strconv.ParseFloat: parsing ');
  f(line('a 1z'), '1:2: strconv.ParseFloat: parsing "1z": invalid syntax while parsing: "a 1z"');
  f(line('a 1e999'), 'strconv.ParseFloat: parsing "1e999": value out of range while parsing: "a 1e999"');
  f(line('a 1_0'), 'unsupported character in float while parsing: "a 1_0"');
  f(line('a 0x1p-3'), 'unsupported character in float');
  f(line('a  1'), 'expected value after metric, got "  " ("INVALID")');
  f(line('a 1 2'), ACCEPT);
  f(line('a 1 12345678901234567890.123'), ACCEPT);
  f(line('a 1 -1.5e3'), ACCEPT);
  f(line('a 1 '), '1:5: expected a valid start token, got "\\n#" ("LINEBREAK")');
  f(line('a 1 2 '), 'expected next entry after timestamp, got " \\n" ("INVALID") while parsing: "a 1 2 \\n"');
  f(line('a 1 2 3'), 'expected next entry after timestamp, got " 3\\n" ("TIMESTAMP")');
  f(line('a 1 NaN'), 'invalid timestamp NaN');
  f(line('a 1 -Inf'), 'invalid timestamp -Inf');
  f(line('a 1 Inf'), 'invalid timestamp +Inf');
  f(line('a 1 z'), 'strconv.ParseFloat: parsing "z": invalid syntax');
});

t.test('exemplars', async () => {
  f(line('a 1 # {} 1'), ACCEPT);
  f(line('# TYPE a gauge\na 1 2 # {b="c",d="e",} 1 2'), ACCEPT);
  f(line('a 1 # {b="c",b="d"} NaN'), ACCEPT);
  f(line('a 1 # {"b.c"="d",""="e"} 1'), ACCEPT);
  f(line(`a 1 # {b="${'x'.repeat(500)}"} 1`), ACCEPT);
  f(line('a 1 # {b="c # {}"} 1'), ACCEPT);
  f(line('a 1 # {"b"} 1'), 'expected label name, got "} " ("BCLOSE")');
  f(line('a 1 # {b} 1'), 'expected label name, got "} " ("BCLOSE")');
  f(line('a 1 # {b=c} 1'), 'expected label value, got "c" ("INVALID")');
  f(line('a 1 # {b="c",,d="e"} 1'), 'expected label name, got ",d" ("COMMA")');
  f(line('a 1 # {b="c"}'), 'expected value after exemplar labels, got "\\n" ("INVALID")');
  f('a 1 # {b="c"}', 'expected value after exemplar labels, got "}" ("EOF")');
  f(line('a 1 # {}1'), 'expected value after exemplar labels');
  f(line('a 1 # {} 1 '), 'expected timestamp or comment, got " \\n" ("INVALID")');
  f(line('a 1 # {} 1 2 '), 'expected next entry after exemplar timestamp');
  f(line('a 1 # {} 1 # {} 2'), 'strconv.ParseFloat: parsing "#": invalid syntax');
  f(line('a 1 # {} 1 NaN'), 'invalid exemplar timestamp NaN');
  f(line('a 1 # {} 1 -Inf'), 'invalid exemplar timestamp -Inf');
  f(line('a 1 # {} x'), 'strconv.ParseFloat: parsing "x": invalid syntax while parsing: "a 1 # {} x"');
  f(line('a 1 #{} 1'), 'strconv.ParseFloat: parsing "#{}": invalid syntax');
  f(line('a 1 # x'), '1:7: expected a valid start token, got "x" ("INVALID")');
  f(line('a 1# {} 1'), 'strconv.ParseFloat: parsing "1#": invalid syntax');
  f(Buffer.from('a 1 # {b="\xff"} 1\n# EOF\n', 'latin1'), 'invalid UTF-8 label value');
});

t.test('NUL bytes', async () => {
  f(line('# HELP a \0x\0'), ACCEPT);
  f(line('# HE\0LP a x'), ACCEPT);
  f('# EOF\n\0\0', ACCEPT);
  f(line('a{b="\0c\0"} 1'), ACCEPT);
  f(line('a{b="c\\\0n"\0} 1'), ACCEPT);
  f(line('a{b=\0"c"} 1'), 'expected label value, got "\\x00" ("INVALID") while parsing: "a{b=\\x00"');
  f(line('a{b\0="c"} 1'), 'expected equal, got "\\x00" ("INVALID")');
  f(line('a\0{b="c"} 1'), 'expected value after metric, got "\\x00" ("INVALID")');
  f(line('a 1 # {b="\0c"} 1'), 'expected label value, got "\\"\\x00" ("INVALID")');
  f('a{b="\0', 'expected label value, got "\\"\\x00" ("INVALID") while parsing: "a{b=\\"\\x00"');
});

t.test('messages stay short, and say where in characters', async (t) => {
  const body = Buffer.from(`ok 1\na{b="${'ü'.repeat(5000)}",c=d} 1\n# EOF\n`);
  const error = prometheusVerdict(body, body.length, 'openmetrics')!;
  t.same([error.line, error.column], [2, 5 + 1 + 5000 + 5 - 1]);
  t.ok(error.message.length < 600);
  t.notMatch(error.message, /\\x/, 'no character is cut');
});

t.test('bytes past the length are not read', async (t) => {
  const body = Buffer.from('a 1\n# EOF\nb');
  t.equal(prometheusVerdict(body, 10, 'openmetrics'), undefined);
  t.match(prometheusVerdict(body, 4, 'openmetrics'), { message: 'data does not end with # EOF' });
  t.match(prometheusVerdict(Buffer.from('a{b="c"} 1'), 6, 'openmetrics'), {
    message: /^expected label value/,
  });
});

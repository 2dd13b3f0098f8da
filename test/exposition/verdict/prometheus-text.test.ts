import t from 'tap';
import { prometheusVerdict } from '../../../src/exposition/verdict/prometheus.js';

const ACCEPT = undefined;

/** @param want the message, or its beginning; with `line:column: ` before it where that is of interest */
function f(body: string | Buffer, want: string | undefined): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const error = prometheusVerdict(bytes, bytes.length, 'text');
  const name = JSON.stringify(String(body).slice(0, 80));
  if (want === undefined || error === undefined) {
    t.equal(error === undefined ? undefined : `${error.line}:${error.column}: ${error.message}`, want, name);
    return;
  }
  const at = /^\d+:\d+: /.test(want) ? `${error.line}:${error.column}: ` : '';
  t.equal(`${at}${error.message}`.slice(0, want.length), want, name);
}

t.test('what is taken', async () => {
  f('', ACCEPT);
  f('\n\n', ACCEPT);
  f('a 1', ACCEPT);
  f('a 1\n\n  \n\ta\t 1 \t\n', ACCEPT);
  f('# any words\n#any\n#\n# HELP\n# TYPEa b\n# EOF\na 1', ACCEPT);
  f('# HELP a\n# HELP a \n# HELP a x\n# HELP  a  x\n#\tHELP\ta\tx\n', ACCEPT);
  for (const type of ['counter', 'gauge', 'histogram', 'summary', 'untyped']) f(`# TYPE a ${type}\n`, ACCEPT);
  f('a{} 1\na{b="c"} 1\na{b="c",} 1\na { b = "c" , d = "e" } 1\na{b="c"}1', ACCEPT);
  f('a{b="c"d="e"} 1', ACCEPT);
  f('a{b="c\nd"} 1', ACCEPT);
  f('{"a.b"} 1\n{ "a.b", c="d" } 1\na{"c.d"="e"} 1', ACCEPT);
  f('a 1 1700000000000\na 1 9223372036854775807', ACCEPT);
  f('a NaN\na +Inf\na 1e3', ACCEPT);
});

t.test('what fails the scrape', async () => {
  f('t_total 1 # {trace_id="x"} 1', '1:11: expected timestamp or new record, got "#" ("INVALID")');
  f('a', '1:2: expected value after metric, got "" ("INVALID") while parsing: "a"');
  f('a b', 'strconv.ParseFloat: parsing "b": invalid syntax while parsing: "a b"');
  f('a-b 1', 'strconv.ParseFloat: parsing "-b": invalid syntax while parsing: "a-b"');
  f('a 1_0', 'unsupported character in float while parsing: "a 1_0"');
  f('a 1 1.5', 'expected next entry after timestamp, got "." ("INVALID") while parsing: "a 1 1."');
  f('a 1 -5', 'expected timestamp or new record, got "-" ("INVALID") while parsing: "a 1 -"');
  f('a 1 2 3', 'expected next entry after timestamp, got "3" ("TIMESTAMP")');
  f('a 1 9223372036854775808', 'strconv.ParseInt: parsing "9223372036854775808": value out of range');
  f('a 1 2 # x', 'expected next entry after timestamp, got "#" ("INVALID")');
  f('a 1\r\n', 'strconv.ParseFloat: parsing "1\\r": invalid syntax');
  f('# TYPE a\n', 'invalid metric type ""');
  f('# TYPE a gaugehistogram\n', 'invalid metric type "gaugehistogram"');
  f('# TYPE a unknown\n', 'invalid metric type "unknown"');
  f('# TYPE a gauge \n', 'invalid metric type "gauge "');
  f('# TYPE #\n', 'expected metric name after TYPE, got "#" ("INVALID") while parsing: "# TYPE #"');
  f('# HELP \n', 'expected metric name after HELP');
  f(Buffer.from('# HELP a \xff\n', 'latin1'), 'help text "\\xff" is not a valid utf8 string');
  f("a{b='c'} 1", 'expected label value, got "\'" ("INVALID") while parsing: "a{b=\'"');
  f('a{b="c",,d="e"} 1', 'expected label name, got ",d" ("COMMA")');
  f('a{b} 1', 'expected equal, got "} " ("BCLOSE")');
  f('{b="c"} 1', 'metric name not set while parsing: "{b=\\"c\\"} 1"');
  f('a{b="c', 'expected label value, got "\\"c" ("INVALID")');
  f(Buffer.from('a{b="\xff"} 1', 'latin1'), 'invalid UTF-8 label value: "\\"\\xff\\""');
  f('a{b="1",b="2"} 1', '1:1: label name "b" is not unique: invalid sample');
});

t.test('NUL bytes', async () => {
  f('a 1\n\0what follows is not read', ACCEPT);
  f('# \0nor this\n', ACCEPT);
  f('#\0nor this\n', ACCEPT);
  f('# a\0b\nc', 'expected value after metric');
  f('a{b="\0c\0"} 1', ACCEPT);
  f('# HELP a \0x\n', ACCEPT);
  f('a{b=\0"c"} 1', 'expected label value, got "\\x00" ("INVALID")');
  f('a\0 1', 'expected value after metric, got "\\x00" ("INVALID")');
  f('a 0 1\0', 'expected next entry after timestamp, got "\\x00" ("INVALID")');
});

t.test('bytes past the length are not read', async (t) => {
  const body = Buffer.from('a 1\nb\n');
  t.equal(prometheusVerdict(body, 3, 'text'), undefined);
  t.equal(prometheusVerdict(body, 4, 'text'), undefined);
  t.match(prometheusVerdict(body, 5, 'text'), { line: 2, column: 2 });
});

import t from 'tap';
import { FamilyComments } from '../../src/exposition/family-comments.js';

/** What the comment lines say of a series of this name behind them. */
function metadataOf(comments: readonly string[], name: string) {
  const body = Buffer.from(`${comments.join('\n')}\n`);
  const reader = new FamilyComments();
  reader.begin(body);
  for (let at = 0; at < body.length; at = body.indexOf('\n', at) + 1) if (body[at] === 0x23) reader.meet(at);
  return reader.metadataOf(name);
}

const f = (
  comments: readonly string[],
  name: string,
  want: readonly [type: string, help: string, unit: string],
) => {
  // biome-ignore format: one line
  const { type, help, unit } = metadataOf(comments, name);
  t.strictSame([type, help, unit], want, `${comments.join(' | ')}: ${name}`);
};

const NONE = ['', '', ''] as const;
const all = (family: string, type: string) => [`# TYPE ${family} ${type}`, `# HELP ${family} Some help.`, `# UNIT ${family} seconds`]; // biome-ignore format: one line

f([], 'a', NONE);
f(all('a_seconds', 'counter'), 'a_seconds_total', ['counter', 'Some help.', 'seconds']);
f(all('a_seconds', 'counter').reverse(), 'a_seconds_created', ['counter', 'Some help.', 'seconds']);
f(all('a_seconds', 'histogram'), 'a_seconds_bucket', ['histogram', 'Some help.', 'seconds']);
f(all('a_seconds', 'histogram'), 'a_seconds_count', ['histogram', 'Some help.', 'seconds']);
f(all('a_seconds', 'histogram'), 'a_seconds_total', NONE);
f(all('a_seconds', 'gaugehistogram'), 'a_seconds_gcount', ['gaugehistogram', 'Some help.', 'seconds']);
f(all('a_seconds', 'summary'), 'a_seconds', ['summary', 'Some help.', 'seconds']);
f(all('a_seconds', 'gauge'), 'a_seconds', ['gauge', 'Some help.', 'seconds']);
f(all('a_seconds', 'gauge'), 'a_seconds_count', NONE);
f(all('a', 'info'), 'a_info', ['info', 'Some help.', 'seconds']);
f(all('a', 'constructor'), 'a_total', NONE);
f(all('a', 'counter'), 'b_total', NONE);
f(all('a', 'counter'), 'ab_total', NONE);
f(['# TYPE a counter', '# HELP b x'], 'a_total', ['counter', '', '']);
f(['# HELP a x', '# TYPE b counter'], 'a', ['', 'x', '']);
f(['# HELP a old', '# TYPE a counter', '# HELP a_total other', '# HELP a new'], 'a_total', ['counter', 'new', '']); // biome-ignore format: one line
f(['# TYPE a_total counter'], 'a_total', ['counter', '', '']);
f(['# HELP a a\\\\b\\nc \\"d\\" \\e'], 'a', ['', 'a\\b\nc "d" \\e', '']);
f(['# HELP a '], 'a', NONE);
f(['# HELP a'], 'a', NONE);
f(['# HELP  a x'], 'a', NONE);
f(['# HELPa x', '# TYPEa counter', '#', '# ', '# T'], 'a', NONE);
f(all('"my.metric"', 'counter'), 'my.metric_total', ['counter', 'Some help.', 'seconds']);
f(['# TYPE "a \\"b\\" c" gauge'], 'a "b" c', ['gauge', '', '']);
f(['# HELP a é漢'], 'a', ['', 'é漢', '']);

t.test('the type that counts for le is that of the last TYPE line, whatever its family', async (t) => {
  const reader = new FamilyComments();
  const body = Buffer.from('# TYPE a counter\n# TYPE b histogram\n');
  reader.begin(body);
  t.equal(reader.metricType, undefined);
  reader.meet(0);
  t.equal(reader.metricType, 'counter');
  reader.meet(17);
  t.equal(reader.metricType, 'histogram');
  reader.begin(body);
  t.equal(reader.metricType, undefined);
});

t.test('a comment of megabytes is not read', async (t) => {
  const { help } = metadataOf([`# HELP a ${'x'.repeat(1e7)}`], 'a');
  t.ok(help.length < 20_000);
});

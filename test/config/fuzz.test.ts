/** Whatever a file holds, loading it is a value: options, or errors with places inside the file. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { stringify } from 'yaml';
import { type ConfigResult, loadConfig } from '../../src/config/load.js';
import { SECTIONS } from '../../src/config/reference.js';

const example = readFileSync(new URL('../../config.example.yaml', import.meta.url), 'utf8');
const TIME_BUDGET_MS = 1_000;

function check(text: string): void {
  const result = loadConfig(text, 'f', {});
  const lineCount = text.split('\n').length;
  for (const { line, column, message } of issuesOf(result)) {
    if (line < 1 || line > lineCount || column < 1 || message === '')
      throw new Error(`${line}:${column}: ${message}`);
  }
  if (!result.ok && result.errors.length === 0) throw new Error('refused without an error');
  if (result.ok) checkMasked(result.config.text);
}

function issuesOf(result: ConfigResult) {
  return result.ok ? result.warnings : [...result.errors, ...result.warnings];
}

/** What is shown loads as well, and has nothing more to mask. */
function checkMasked(text: string): void {
  const again = loadConfig(text, 'f', {});
  if (again.ok && again.config.text !== text) throw new Error('masked twice is not masked once');
}

function run(arbitrary: fc.Arbitrary<string>): void {
  fc.assert(fc.property(arbitrary, check), { numRuns: 2_000, interruptAfterTimeLimit: TIME_BUDGET_MS });
}

t.test('any text', async () => run(fc.string({ unit: 'binary', maxLength: 200 })));

t.test('text of the characters YAML is made of', async () => {
  const unit = fc.constantFrom(
    ...'{}[]:,-?&*!|>%@`"\'#~<= \n\tab0',
    '<<',
    ': ',
    '- ',
    '&a ',
    '*a',
    '---\n',
    '\r\n',
  );
  run(fc.array(unit, { maxLength: 60 }).map((parts) => parts.join('')));
});

t.test('the example with pieces cut out, doubled and replaced', async () => {
  const edit = fc.tuple(
    fc.nat(example.length),
    fc.nat(20),
    fc.constantFrom('', ': ', '\n', '  ', '[', '}', '*a', '&a ', '0', '# '),
  );
  run(
    fc
      .array(edit, { minLength: 1, maxLength: 5 })
      .map((edits) =>
        edits.reduce(
          (text, [at, length, inserted]) => text.slice(0, at) + inserted + text.slice(at + length),
          example,
        ),
      ),
  );
});

t.test('known keys with any values', async () => {
  const key = fc.constantFrom(
    ...new Set(SECTIONS.flatMap(([, table]) => Object.keys(table))),
    '__proto__',
    '<<',
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium', withCrossShrink: true },
      fc.constantFrom<unknown>(
        null,
        true,
        0,
        -1,
        Number.NaN,
        1.5,
        '',
        '5s',
        '$X',
        'http://a:b@c/',
        '<secret>',
        'a/b',
      ),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    ),
  }));
  const root = fc.record(Object.fromEntries(Object.keys(SECTIONS[0]![1]).map((name) => [name, value])), {
    requiredKeys: [],
  });
  run(root.map((document) => stringify(document)));
});

t.test('nesting of any depth', async () => {
  const depth = fc.integer({ min: 1, max: 3_000 });
  const opening = fc.constantFrom(['[', ']'], ['{a: ', '}'], ['- ', ''], ['? ', '']);
  const text = fc
    .tuple(depth, opening)
    .map(([n, [open, close]]) => `rule_files:\n  ${open!.repeat(n)}${close!.repeat(n)}`);
  fc.assert(fc.property(text, check), { numRuns: 30, interruptAfterTimeLimit: TIME_BUDGET_MS });
});

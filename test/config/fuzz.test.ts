/** Whatever a file holds, loading it is a value: options, or errors with places inside the file. */
import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { type ConfigResult, loadConfig } from '../../src/config/load.js';
import { SECTIONS } from '../../src/config/reference.js';
import { cpuMs } from '../support/cpu-time.js';
import { fuzzBounds } from '../support/fuzz.js';
import fc from '../support/properties.js';

const example = readFileSync(new URL('../../config.example.yaml', import.meta.url), 'utf8');
const isByHand = process.env.FUZZ_SECONDS !== undefined;
const BOUNDS = isByHand ? fuzzBounds(0) : { numRuns: 2_000, interruptAfterTimeLimit: 1_000 };
/** Real-world files take some ten milliseconds each; what takes this long does not end in any sensible time. */
const TOO_LONG_MS = 5_000;

function check(text: string): void {
  const beforeMs = cpuMs();
  const result = loadConfig(text, 'f', {});
  const tookMs = cpuMs() - beforeMs;
  if (tookMs > TOO_LONG_MS) throw new Error(`took ${tookMs} ms`);
  const lines = text.split('\n');
  for (const { line, column, message } of issuesOf(result)) {
    const length = lines[line - 1]?.length;
    if (length === undefined || column < 1 || column > length + 1 || message === '')
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
  fc.assert(fc.property(arbitrary, check), BOUNDS);
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
  fc.assert(fc.property(text, check), { ...BOUNDS, ...(isByHand ? {} : { numRuns: 30 }) });
});

const FIXTURES = new URL('../fixtures/configs/', import.meta.url);
const realWorld = readdirSync(FIXTURES)
  .filter((name) => name.endsWith('.yml'))
  .map((name) => readFileSync(new URL(name, FIXTURES), 'utf8'));

/** Where a choice falls, as a part of what there is to choose from. */
const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const at = (part: number, length: number) => Math.floor(part * length);

t.test(
  'lines of real-world files taken out, doubled, exchanged, shifted; one file going on as another',
  async () => {
    const edit = fc.record({
      kind: fc.constantFrom('delete', 'double', 'exchange', 'indent', 'outdent', 'splice'),
      here: place,
      there: place,
      other: fc.constantFrom(...realWorld),
    });
    const edited = (
      file: string,
      edits: readonly { kind: string; here: number; there: number; other: string }[],
    ) =>
      edits.reduce((lines, { kind, here, there, other }) => {
        const [i, j] = [at(here, lines.length), at(there, lines.length)];
        const line = lines[i];

        if (line === undefined) return other.split('\n');
        if (kind === 'delete') return lines.toSpliced(i, 1 + at(there, 4));
        if (kind === 'double') return lines.toSpliced(j, 0, line);
        if (kind === 'exchange') return lines.with(i, lines[j] ?? '').with(j, line);
        if (kind === 'indent') return lines.with(i, ` ${line}`);
        if (kind === 'outdent') return lines.with(i, line.replace(/^ /, ''));
        const others = other.split('\n');
        return [...lines.slice(0, i), ...others.slice(at(there, others.length))];
      }, file.split('\n').concat(''));
    const edits = fc.array(edit, { minLength: 1, maxLength: 6 });
    run(fc.tuple(fc.constantFrom(...realWorld), edits).map(([file, list]) => edited(file, list).join('\n')));
  },
);

type Container = Record<string, unknown> | unknown[];

function containersOf(value: unknown): Container[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value as Container, ...Object.values(value).flatMap(containersOf)];
}

t.test('keys and values of real-world files taken out, doubled, exchanged, put elsewhere', async () => {
  const edit = fc.record({
    kind: fc.constantFrom('delete', 'double', 'exchange values', 'exchange keys', 'transplant'),
    where: fc.tuple(place, place),
    other: fc.tuple(place, place),
  });
  const mutated = (
    file: string,
    second: string,
    edits: readonly { kind: string; where: [number, number]; other: [number, number] }[],
  ) => {
    const root: unknown = parse(file);
    for (const { kind, where, other } of edits) {
      const from = kind === 'transplant' ? parse(second) : root;
      const [here, there] = [pick(root, where), pick(from, other)];
      if (here === undefined || there === undefined) continue;
      const value = structuredClone(there.container[there.key]);
      if (kind === 'delete') remove(here);
      else if (kind === 'double') put(here, `${here.key}_`, structuredClone(here.container[here.key]));
      else if (kind === 'exchange keys') put(here, there.key, structuredClone(here.container[here.key]));
      else {
        if (kind === 'exchange values')
          there.container[there.key] = structuredClone(here.container[here.key]);
        here.container[here.key] = value;
      }
    }
    return stringify(root, { aliasDuplicateObjects: false });
  };
  const files = fc.constantFrom(...realWorld);
  const edits = fc.array(edit, { minLength: 1, maxLength: 8 });
  run(fc.tuple(files, files, edits).map(([file, second, list]) => mutated(file, second, list)));
});

interface Spot {
  readonly container: Record<string, unknown>;
  readonly key: string;
}

/** A key of a map, or a place in a list. */
function pick(root: unknown, [where, which]: readonly [number, number]): Spot | undefined {
  const containers = containersOf(root);
  const container = containers[at(where, containers.length)];
  const keys = Object.keys(container ?? {});
  const key = keys[at(which, keys.length)];
  return key === undefined ? undefined : { container: container as Record<string, unknown>, key };
}

function remove({ container, key }: Spot): void {
  if (Array.isArray(container)) container.splice(Number(key), 1);
  else delete container[key];
}

function put({ container }: Spot, key: string, value: unknown): void {
  if (Array.isArray(container)) container.push(value);
  else container[key] = value;
}

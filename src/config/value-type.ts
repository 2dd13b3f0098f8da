/** What the value of a key may be: how it is read from the file, and how a default is written in the documentation. */
import { MASK, redactUrl } from '../util/secrets.js';
import { formatBytes, formatDurationMs, parseBytes, parseDurationMs } from '../util/units.js';
import { type ConfigNode, describeValue, isNull, nullNode } from './document.js';
import type { IssueReport, Position } from './issue.js';

export { redactUrl };

export interface ValueType<Value> {
  /** As the documentation names it. */
  readonly name: string;
  /**
   * Reads the value that stands at `path`, such as `scrape_configs[0].job_name`.
   * @returns undefined when it is not of this type; the report then says why
   */
  read(node: ConfigNode, path: string, report: IssueReport): Value | undefined;
  /** As it would be written in the file. */
  format(value: Value): string;
}

interface ScalarSpec<Value> {
  readonly name: string;
  /** Completes "must be …". */
  readonly expectation: string;
  readonly parse: (text: string, plain: boolean) => Value | undefined;
  readonly format?: (value: Value) => string;
  /** How a refused text is shown; for texts that may hold a secret. */
  readonly redact?: (text: string) => string;
}

export function scalar<Value>(spec: ScalarSpec<Value>): ValueType<Value> {
  return {
    name: spec.name,
    read(node, path, report) {
      const value = node.kind === 'scalar' ? spec.parse(node.text, node.plain) : undefined;
      if (value !== undefined) return value;
      const shown = node.kind === 'scalar' && spec.redact ? { ...node, text: spec.redact(node.text) } : node;
      return report.error(node.at, `${path} must be ${spec.expectation}, got ${describeValue(shown)}`);
    },
    format: spec.format ?? String,
  };
}

export const text = scalar({ name: 'text', expectation: 'text', parse: (value) => value });

export const nonEmptyText = scalar({
  name: 'text',
  expectation: 'text that is not empty',
  parse: (value) => (value === '' ? undefined : value),
});

/** Never shown, not even in an error. */
export const secret: ValueType<string> = scalar({
  name: 'secret',
  expectation: 'text',
  parse: (value) => value,
  redact: () => MASK,
});

/** YAML 1.1 spellings too, because Prometheus reads them. */
const BOOLEANS = new Map(
  Object.entries({ true: true, yes: true, y: true, on: true, false: false, no: false, n: false, off: false }),
);
const BOOLEAN_CASE = /^(?:[a-z]+|[A-Z][a-z]*|[A-Z]+)$/;

export const boolean = scalar<boolean>({
  name: 'boolean',
  expectation: 'true or false',
  parse: (value, plain) =>
    plain && BOOLEAN_CASE.test(value) ? BOOLEANS.get(value.toLowerCase()) : undefined,
});

/** Counts end up in 32-bit integers. */
const MAX_COUNT = 2 ** 31 - 1;
const DECIMAL = /^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?$/i;
const OTHER_BASE = /^0(?:x[\da-f]+|b[01]+|o?[0-7]+)$/i;

/** All spellings that Prometheus takes: `1_000_000`, `1.5e+06` (so templates print it), `0x10`, and `010`, which is 8. */
function parseWhole(text: string): number {
  const digits = text.replace(/^\+(?=[\d.])/, '').replaceAll('_', '');
  if (OTHER_BASE.test(digits)) return Number(digits.replace(/^0o?(?=[0-7])/i, '0o'));
  return DECIMAL.test(digits) && !text.startsWith('_') ? Number(digits) : Number.NaN;
}

/** A whole number. */
export function count(minimum: number, maximum = MAX_COUNT): ValueType<number> {
  return scalar({
    name: 'number',
    expectation: `a whole number from ${minimum} to ${maximum}`,
    parse(value, plain) {
      const number = plain ? parseWhole(value) : Number.NaN;
      return Number.isInteger(number) ? inRange(number, minimum, maximum) : undefined;
    },
  });
}

/** What may not be exceeded; 0 is no limit. Compared only, so it may be larger than anything there is. */
export const limit = count(0, Number.MAX_SAFE_INTEGER);

/** Go keeps durations as nanoseconds in 64 bits; beyond, Prometheus refuses them. */
const MAX_DURATION_MS = Math.floor(2 ** 63 / 1e6);

/** In milliseconds. */
export const duration = scalar({
  name: 'duration',
  expectation: 'a duration like 500ms, 30s or 1h30m, of at most 292 years',
  parse: (value) => inRange(parseDurationMs(value), 0, MAX_DURATION_MS),
  format: formatDurationMs,
});

/** In milliseconds. */
export const positiveDuration = scalar({
  name: 'duration',
  expectation: 'a duration above 0 like 500ms, 30s or 1h30m',
  parse: (value) => inRange(parseDurationMs(value), 1, MAX_DURATION_MS),
  format: formatDurationMs,
});

export function bytes(minimum: number): ValueType<number> {
  return scalar({
    name: 'size',
    expectation: `a size${minimum > 0 ? ` of at least ${formatBytes(minimum)},` : ''} like 512KiB, 10MB or 4096`,
    parse: (value) => inRange(parseBytes(value), minimum, Number.MAX_SAFE_INTEGER),
    format: (size) => (size === 0 ? '0' : formatBytes(size)),
  });
}

function inRange(value: number | undefined, minimum: number, maximum: number): number | undefined {
  return value !== undefined && value >= minimum && value <= maximum ? value : undefined;
}

export function oneOf<const Value extends string>(values: readonly Value[]): ValueType<Value> {
  return scalar<Value>({
    name: values.map((value) => `\`${value}\``).join(', '),
    expectation: `one of ${values.join(', ')}`,
    parse: (given) => values.find((value) => value === given),
  });
}

export const httpUrl = scalar({
  name: 'URL',
  expectation: 'a URL that starts with http:// or https://',
  parse: (value) => (isHttpUrl(value) ? value : undefined),
  redact: redactUrl,
});

/** Of a proxy. Empty is none, as in Prometheus. Those over SOCKS are read, too, so that their users can be told what becomes of them. */
export const proxyUrlOrEmpty = scalar({
  name: 'URL',
  expectation: 'a URL that starts with http:// or https://',
  parse: (value) => (value === '' || isHttpUrl(value) || isSocksUrl(value) ? value : undefined),
  redact: redactUrl,
});

function isSocksUrl(text: string): boolean {
  return /^socks5h?:\/\/[^/\\?#]/i.test(text) && URL.canParse(text);
}

function isHttpUrl(text: string): boolean {
  // Of `http:///path` the parser makes `http://path`.
  return /^https?:\/\/[^/\\?#]/i.test(text) && URL.canParse(text);
}

export function list<Item>(item: ValueType<Item>): ValueType<readonly Item[]> {
  return {
    name: `list of ${item.name}`,
    read(node, path, report) {
      // Only the value of a key that the user chose: elsewhere nothing is "not given".
      if (isNull(node)) return [];
      if (node.kind !== 'list')
        return report.error(node.at, `${path} must be a list, got ${describeValue(node)}`);
      const items = node.items.map((each, i) =>
        isNull(each)
          ? report.error(each.at, `${path}[${i}] is empty`)
          : item.read(each, `${path}[${i}]`, report),
      );
      return items.filter((each) => each !== undefined);
    },
    format: (items) => `[${items.map(item.format).join(', ')}]`,
  };
}

/** A list, or its only item alone. */
export function oneOrList<Item>(item: ValueType<Item>): ValueType<readonly Item[]> {
  const many = list(item);
  return {
    name: `${item.name}, or ${many.name}`,
    read(node, path, report) {
      if (node.kind === 'list') {
        const items = many.read(node, path, report);
        // Where none could be read, the errors say so, and the key counts as refused.
        return items?.length === 0 && node.items.length > 0 ? undefined : items;
      }
      const only = item.read(node, path, report);
      return only === undefined ? undefined : [only];
    },
    format: many.format,
  };
}

/** A map whose keys the user chooses: label names, header names. */
export function record<Value>(value: ValueType<Value>): ValueType<Readonly<Record<string, Value>>> {
  return {
    name: `map of ${value.name}`,
    read(node, path, report) {
      if (node.kind !== 'map')
        return report.error(node.at, `${path} must be a map, got ${describeValue(node)}`);
      const pairs: [string, Value][] = [];
      for (const [name, entry] of node.entries) {
        if (name === '') report.error(entry.keyAt, `${path} has a key that is empty`);
        // A label without a value is a label with an empty one, as in Prometheus.
        const given = isNull(entry.value) ? nullNode(entry.value.at) : entry.value;
        const read = value.read(given, `${path}.${name}`, report);
        if (read !== undefined) pairs.push([name, read]);
      }
      return Object.fromEntries(pairs);
    },
    format: (values) =>
      `{${Object.entries(values)
        .map(([name, each]) => `${name}: ${value.format(each)}`)
        .join(', ')}}`,
  };
}

export interface Located<Value> {
  readonly value: Value;
  readonly at: Position;
}

/** Keeps the position, for checks that need more than the value itself. */
export function located<Value>(type: ValueType<Value>): ValueType<Located<Value>> {
  return {
    name: type.name,
    read(node, path, report) {
      const value = type.read(node, path, report);
      return value === undefined ? undefined : { value, at: node.at };
    },
    format: ({ value }) => type.format(value),
  };
}

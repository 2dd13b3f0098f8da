/**
 * The configuration as it may be shown to anyone who can reach the HTTP port.
 * Written by cutting and replacing in the text itself, so that all else stays as the user wrote it.
 */
import {
  CST,
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  Lexer,
  type Pair,
  parseDocument,
  type Scalar,
  visit,
} from 'yaml';
import { isSecretName, MASK, redactQuery, redactUrl } from '../util/secrets.js';
import { startOfSecond } from './document.js';

/** Keys whose values Prometheus, or one of its discovery mechanisms, treats as secret. */
const SECRET_KEYS = new Set([
  'password',
  'credentials',
  'bearer_token',
  'client_secret',
  'secret_key',
  'token',
  'auth_token',
  'application_credential_secret',
  'application_secret',
  'consumer_key',
  'secrets',
]);
/** Maps in which the user chooses the keys: what a header is called does not always say that it is a secret. */
const SECRET_MAPS = new Set(['headers', 'proxy_connect_header']);
/** Maps of that kind in which secrets have a place of their own; their names are looked at all the same. */
const NAMED_MAPS = new Set(['http_headers', 'endpoint_params', 'params']);
/** A label of this name is a query parameter of the scrape. */
const PARAMETER_LABEL = '__param_';
/** Values that are a part of a URL, and may have a query. */
const PATHS = new Set(['metrics_path', '__metrics_path__']);

/** What stands in `[start, end)` gives way to `text`. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Secrets and passwords in URLs become `<secret>`. Comments go: an old password may have been left in one.
 * @param file YAML whose first document is without syntax errors; the others are left out
 */
export function maskSecrets(file: string): string {
  const document = parseDocument(file, { uniqueKeys: false });
  const text = file.slice(0, startOfSecond(document));
  const secrets = new Set<unknown>();
  const paths = new Set<unknown>();
  visit(document, {
    Pair: (_, pair, ancestors) => {
      if (isSecret(pair, ancestors)) collectScalars(pair.value, document, secrets);
      if (PATHS.has(targetOf(pair, ancestors))) collectScalars(pair.value, document, paths);
    },
  });
  const edits = commentEdits(text);
  visit(document, {
    Scalar: (_, scalar) => {
      const redact = secrets.has(scalar) ? () => MASK : paths.has(scalar) ? redactQuery : redactUrl;
      edits.push(...scalarEdits(scalar, redact, text));
    },
  });
  return applyEdits(text, edits);
}

function isSecret(pair: Pair<unknown, unknown>, ancestors: readonly unknown[]): boolean {
  const key = keyOf(pair);
  if (SECRET_KEYS.has(key)) return true;
  const parent = keyOf(ancestors.findLast(isPair));
  const target = targetOf(pair, ancestors);
  if (target.startsWith(PARAMETER_LABEL)) return isSecretName(target.slice(PARAMETER_LABEL.length));
  // Elsewhere `key` is a plain word; here it is the text of a private key.
  if (parent === 'tls_config') return key === 'key';
  return SECRET_MAPS.has(parent) || (NAMED_MAPS.has(parent) && isSecretName(key));
}

/** The key; of the `replacement` in a relabelling rule the label that it becomes. */
function targetOf(pair: Pair<unknown, unknown>, ancestors: readonly unknown[]): string {
  const key = keyOf(pair);
  const rule = ancestors.at(-1);
  return key === 'replacement' && isMap(rule) ? String(rule.get('target_label') ?? key) : key;
}

function keyOf(pair: Pair<unknown, unknown> | undefined): string {
  return isScalar(pair?.key) ? String(pair.key.value) : '';
}

/** An alias is followed, so that the secret is masked where its anchor is. */
function collectScalars(value: unknown, document: Document, into: Set<unknown>): void {
  const node = isAlias(value) ? value.resolve(document) : value;
  if (!isNode(node)) return;
  visit(node, {
    Scalar: (place, scalar) => {
      if (place !== 'key') into.add(scalar);
    },
    Alias: (_, alias) => {
      if (!into.has(alias)) collectScalars(alias, document, into.add(alias));
    },
  });
}

function scalarEdits({ source, range }: Scalar, redact: (source: string) => string, text: string): Edit[] {
  if (!range || !source) return [];
  const [start, end] = range;
  const written = text.slice(start, end);
  const shown = redact(source);
  if (shown === source) return [];
  // The range of a block scalar ends with the line feed that its last line needs.
  return [{ start, end, text: shown === MASK ? MASK + (/\r?\n$/.exec(written)?.[0] ?? '') : shown }];
}

/** Lines that are all comment go as a whole. */
function commentEdits(text: string): Edit[] {
  const edits: Edit[] = [];
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    const type = CST.tokenType(lexeme);
    // The lexer marks places by lexemes that stand for no text.
    if (type === 'doc-mode' || type === 'flow-error-end' || type === 'scalar') continue;
    const end = offset + lexeme.length;
    if (type === 'comment') edits.push(commentEdit(text, offset, end));
    offset = end;
  }
  return edits;
}

function commentEdit(text: string, start: number, end: number): Edit {
  let from = start;
  while (text[from - 1] === ' ' || text[from - 1] === '\t') from--;
  const isWholeLine = from === 0 || text[from - 1] === '\n';
  const lineEnd = text.indexOf('\n', end);
  return { start: from, end: isWholeLine ? (lineEnd < 0 ? text.length : lineEnd + 1) : end, text: '' };
}

function applyEdits(text: string, edits: readonly Edit[]): string {
  let edited = '';
  let copied = 0;
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    edited += text.slice(copied, edit.start) + edit.text;
    copied = edit.end;
  }
  return edited + text.slice(copied);
}

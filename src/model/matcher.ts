import { RE2JS } from 're2js';

export type MatcherType = '=' | '!=' | '=~' | '!~';

/** One condition of a selector. A series without the label is matched as if its value were empty. */
export interface Matcher {
  readonly type: MatcherType;
  readonly name: string;
  readonly value: string;
  matches(value: string): boolean;
}

/**
 * @throws {Error} when a regular expression is not RE2 (the message is the compiler's)
 */
export function createMatcher(type: MatcherType, name: string, value: string): Matcher {
  return { type, name, value, matches: predicate(type, value) };
}

function predicate(type: MatcherType, value: string): (candidate: string) => boolean {
  switch (type) {
    case '=':
      return (candidate) => candidate === value;
    case '!=':
      return (candidate) => candidate !== value;
    case '=~':
      return anchoredRegex(value);
    case '!~': {
      const matches = anchoredRegex(value);
      return (candidate) => !matches(candidate);
    }
  }
}

/** Characters that mean something in RE2; an expression without them, or alternatives of such, needs no engine. */
const LITERAL_ALTERNATIVES = /^[^\\.+*?()[\]{}^$]*$/;

/**
 * RE2 over the whole value, dot matching newline (`^(?s:…)$`). Linear time whatever the user writes.
 * @throws {Error} when `pattern` is not RE2
 */
export function anchoredRegex(pattern: string): (candidate: string) => boolean {
  if (LITERAL_ALTERNATIVES.test(pattern)) {
    const alternatives = new Set(pattern.split('|'));
    return (candidate) => alternatives.has(candidate);
  }
  if (pattern === '.*') return () => true;
  if (pattern === '.+') return (candidate) => candidate !== '';
  // Compiled bare first: wrapping could otherwise balance what is unbalanced, as in `a)(b`.
  RE2JS.compile(pattern, RE2JS.DOTALL);
  const compiled = RE2JS.compile(`^(?:${pattern})$`, RE2JS.DOTALL);
  return (candidate) => compiled.test(candidate);
}

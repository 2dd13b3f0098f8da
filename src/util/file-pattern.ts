/** The last part of a path, in which `*`, `?` and `[a-z]` stand for what they do in Go's `filepath.Match`. */

const SPECIAL = /[*?[\\]/;

/** @returns undefined for a name that stands for itself */
export function compilePattern(name: string): RegExp | undefined {
  if (!SPECIAL.test(name)) return undefined;
  const source = name.replace(/\\(.)|\*+|\?|\[(\^?)((?:\\.|[^\]\\])+)\]|./gs, (part, escaped, not, range) => {
    if (escaped !== undefined) return literal(escaped);
    if (part.startsWith('*')) return '.*';
    if (part === '?') return '.';
    return range === undefined ? literal(part) : `[${not}${range.replace(/[[&~|]/g, '\\$&')}]`;
  });
  try {
    return new RegExp(`^${source}$`, 'su');
  } catch {
    // Such as `[z-a]`, which matches nothing.
    return /^(?!)/;
  }
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

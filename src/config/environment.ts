const REFERENCE = /\$(?:\{([^}]*)\}|([A-Za-z_]\w*)|([*#$@!?\-\d]))/g;

/**
 * Puts environment variables in the place of `$NAME` and `${NAME}`; `$$` is a dollar, and so is one that no name
 * follows (Go's `os.Expand`, as Prometheus uses it for external labels).
 * @returns the text, and the names of variables that are unset or empty
 */
export function expandEnvironment(
  template: string,
  environment: NodeJS.ProcessEnv,
): { readonly text: string; readonly missing: readonly string[] } {
  const missing: string[] = [];
  const text = template.replace(REFERENCE, (_, braced?: string, bare?: string, special?: string) => {
    const name = braced ?? bare ?? special ?? '';
    if (name === '$') return '$';
    const value = (Object.hasOwn(environment, name) && environment[name]) || '';
    if (value === '') missing.push(name);
    return value;
  });
  return { text, missing };
}

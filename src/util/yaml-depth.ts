const MAX_INDENTATION = 256;
const INDENTATION = new RegExp(`^[ ?:-]{${MAX_INDENTATION}}`, 'm');

/**
 * Whether YAML is nested so deeply that it must not be parsed. The package goes down a level of the stack for every
 * level of the text; where the stack ends in the middle of V8's compiler of regular expressions, the process ends,
 * too: no `catch` is asked.
 * @param maxOpenBrackets how many may be open at once, those in texts counted as well
 */
export function isNestedTooDeeply(text: string, maxOpenBrackets: number): boolean {
  let open = 0;
  for (const [bracket] of text.matchAll(/[[{}\]]/g)) {
    open = bracket === '[' || bracket === '{' ? open + 1 : Math.max(0, open - 1);
    if (open > maxOpenBrackets) return true;
  }
  return INDENTATION.test(text);
}

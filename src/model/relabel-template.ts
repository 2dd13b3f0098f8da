/** Texts with variables for the groups of a regular expression, by the rules of Go's `Regexp.Expand`. */

/** A group by its number or name, or text as it stands. */
type Part = { readonly text: string } | { readonly group: number } | { readonly name: string };

/** What a match found: group 0 is all of it; undefined where a group took no part. */
export type Groups = readonly (string | undefined)[];

const VARIABLE = /^(?:\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/u;

/**
 * `$1` and `${1}` are groups by number, `$name` and `${name}` by name, `$$` is a dollar. A name goes on as far as it
 * can: `$1x` is the group named `1x`, so `${1}x` is needed. What is no variable stays as it is; a group that there is
 * not, or that took no part, is empty.
 */
export class Template {
  readonly #parts: readonly Part[];
  readonly #groupNames: Readonly<Record<string, number>>;

  /** @param groupNames number of each named group */
  constructor(text: string, groupNames: Readonly<Record<string, number>>) {
    this.#parts = parse(text);
    this.#groupNames = groupNames;
  }

  expand(groups: Groups): string {
    let expanded = '';
    for (const part of this.#parts) expanded += 'text' in part ? part.text : this.#valueOf(part, groups);
    return expanded;
  }

  #valueOf(part: Exclude<Part, { text: string }>, groups: Groups): string {
    if ('group' in part) return groups[part.group] ?? '';
    const number = Object.hasOwn(this.#groupNames, part.name) ? this.#groupNames[part.name] : undefined;
    return number === undefined ? '' : (groups[number] ?? '');
  }
}

function parse(template: string): Part[] {
  const parts: Part[] = [];
  let rest = template;
  for (let dollar = rest.indexOf('$'); dollar >= 0; dollar = rest.indexOf('$')) {
    parts.push({ text: rest.slice(0, dollar) });
    rest = rest.slice(dollar + 1);
    const variable = VARIABLE.exec(rest);
    if (rest.startsWith('$')) {
      parts.push({ text: '$' });
      rest = rest.slice(1);
    } else if (variable === null) parts.push({ text: '$' });
    else {
      parts.push(groupOf((variable[1] ?? variable[2])!));
      rest = rest.slice(variable[0].length);
    }
  }
  parts.push({ text: rest });
  return parts.filter((part) => !('text' in part) || part.text !== '');
}

/** With a zero in front it is a name. */
function groupOf(name: string): Part {
  return /^(?:0|[1-9]\d*)$/.test(name) ? { group: Number(name) } : { name };
}

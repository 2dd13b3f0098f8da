/** Reads what an address says, which somebody may have written by hand: what means nothing there is named, and left at its default. */
export class AddressReader {
  /** `name=text` each. */
  readonly problems: string[] = [];

  readonly #parameters: URLSearchParams;

  constructor(parameters: URLSearchParams) {
    this.#parameters = parameters;
  }

  read<T>(name: string, parse: (text: string) => T | undefined, fallback: T): T {
    const text = this.#parameters.get(name);
    if (text === null) return fallback;
    const value = parse(text);
    if (value === undefined) this.problems.push(`${name}=${text}`);
    return value ?? fallback;
  }
}

export function oneOf<T extends string>(choices: readonly T[]): (text: string) => T | undefined {
  return (text) => choices.find((choice) => choice === text);
}

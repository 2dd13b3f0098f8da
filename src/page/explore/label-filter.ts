/** `label=value` or `label!=value`, of series and exemplar labels alike. */
export interface LabelFilter {
  readonly name: string;
  readonly operator: '=' | '!=';
  /** Empty: where the label is missing, as in PromQL. */
  readonly value: string;
}

/** The name is escaped, so that the first operator is the operator. */
export function formatFilter({ name, operator, value }: LabelFilter): string {
  return `${encodeURIComponent(name).replaceAll('!', '%21')}${operator}${value}`;
}

/** @returns undefined for what `formatFilter` does not write */
export function parseFilter(text: string): LabelFilter | undefined {
  const parts = /^([^=!]+)(!?=)(.*)$/s.exec(text);
  if (parts === null) return undefined;
  try {
    return { name: decodeURIComponent(parts[1]!), operator: parts[2] as '=' | '!=', value: parts[3]! };
  } catch {
    return undefined;
  }
}

export function isSameFilter(a: LabelFilter, b: LabelFilter): boolean {
  return a.name === b.name && a.operator === b.operator && a.value === b.value;
}

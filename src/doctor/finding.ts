/** `error`: exemplars are lost. `warning`: some are, or they lead nowhere. `info`: worth knowing. */
export const SEVERITIES = ['error', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** One thing that the doctor found, in plain words. */
export interface Finding {
  /** Stable, for scripts. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  /** What to do about it. */
  readonly next: string;
  /** Of the first place, from 1. */
  readonly line?: number;
  /** In characters, from 1. */
  readonly column?: number;
  /** Of the exemplars or lines concerned. */
  readonly count?: number;
}

/** The worst first; those of the same severity stay in their order. */
export function bySeverity(findings: readonly Finding[]): Finding[] {
  const rank = ({ severity }: Finding) => SEVERITIES.indexOf(severity);
  return [...findings].sort((a, b) => rank(a) - rank(b));
}

/** `3 exemplars`, `1 exemplar`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Addresses with the labels they share, as every discovery mechanism yields them. */
export interface TargetGroup {
  /** Each becomes `__address__`. */
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

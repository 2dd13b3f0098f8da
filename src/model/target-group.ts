/** Targets that a discovery mechanism found in one place. */
export interface TargetGroup {
  /** Names the group within its mechanism: a file, a DNS name, a Kubernetes object. */
  readonly source: string;
  /** The labels of each target, `__address__` among them. They win over those of the group. */
  readonly targets: readonly Readonly<Record<string, string>>[];
  /** Labels of all of them. */
  readonly labels: Readonly<Record<string, string>>;
}

/** What the exposition says of a metric family; each part is empty where it says nothing. */
export interface Metadata {
  /** As in the TYPE line: `counter`, `histogram`, … */
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

export const NO_METADATA: Metadata = { type: '', help: '', unit: '' };

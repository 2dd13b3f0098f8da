/** A link from an exemplar to where its trace is shown. */
export interface TraceLink {
  /** Of the exemplar; its value is the id. */
  readonly label: string;
  readonly name: string;
  /** `${value}` in it stands for the id. */
  readonly url: string;
}

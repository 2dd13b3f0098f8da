export interface TableSort {
  readonly column: string;
  readonly isDescending: boolean;
}

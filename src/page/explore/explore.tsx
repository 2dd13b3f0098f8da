import type { ViewProps } from '../views.js';

/** Exemplars of a query: time × value, and as a table. */
export function Explore({ parameters }: ViewProps) {
  return <h1>Explore {parameters.get('query')}</h1>;
}

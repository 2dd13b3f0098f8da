/**
 * What the page shows stands in the fragment of its URL: `#/explore?query=up&range=6h`. So a view can be
 * shared, and the server never sees it.
 */
export interface PageLocation {
  /** Of `VIEWS`; empty where the URL names none. */
  readonly view: string;
  readonly parameters: URLSearchParams;
}

export function parseFragment(fragment: string): PageLocation {
  const [path = '', ...rest] = fragment.replace(/^#/, '').split('?');
  return { view: path.replace(/^\/|\/$/g, ''), parameters: new URLSearchParams(rest.join('?')) };
}

export function formatFragment({ view, parameters }: PageLocation): string {
  const query = parameters.toString();
  return query === '' ? `#/${view}` : `#/${view}?${query}`;
}

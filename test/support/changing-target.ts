import type { Socket } from 'node:net';
import { body, type ServedTarget, serveTarget } from './target.js';

export interface Exposition {
  readonly text: string;
  /** Of its exemplars. */
  readonly ids: readonly string[];
}

/**
 * A target that shows other exemplars in every response. Those of a response count as scraped when the next request
 * comes over the same connection: it was read whole, or the connection would be gone, and since exemplard never
 * scrapes a target twice at once, it was also taken in.
 */
export async function serveChanging(
  expose: () => Exposition,
): Promise<{ readonly served: ServedTarget; readonly scraped: ReadonlySet<string> }> {
  const scraped = new Set<string>();
  let shown: { readonly socket: Socket; readonly ids: readonly string[] } | undefined;
  const served = await serveTarget((response, request) => {
    const { socket } = request;
    if (shown?.socket === socket) for (const id of shown.ids) scraped.add(id);
    shown = undefined;
    const { text, ids } = expose();
    response.on('finish', () => {
      shown = { socket, ids };
    });
    body(text)(response, request);
  });
  return { served, scraped };
}

/**
 * A target that shows one body after the other, each until it was scraped: a scrape that takes too long on a busy machine
 * loses none. The last one stays.
 */
export async function serveInTurn(
  bodies: readonly string[],
): Promise<{ readonly served: ServedTarget; readonly areScraped: () => boolean }> {
  const { served, scraped } = await serveChanging(() => {
    const nth = Math.min(scraped.size, bodies.length - 1);
    return { text: bodies[nth]!, ids: [String(nth)] };
  });
  return { served, areScraped: () => scraped.size === bodies.length };
}

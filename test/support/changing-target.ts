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

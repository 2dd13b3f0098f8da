import type { SeriesExemplars } from './answers.js';
import { type ApiParameters, apiUrl } from './client.js';

/** `waiting`: the connection was lost, and is tried again. */
export type LiveState = 'connecting' | 'open' | 'waiting';

export interface LiveEvents {
  onState(state: LiveState): void;
  onExemplars(answer: readonly SeriesExemplars[]): void;
  /** The server left so many out, because they came too fast. */
  onSkipped(count: number): void;
  /** The connection is there, for the first time or again; what came before has to be asked for. */
  onOpen(): void;
}

/** Browsers try again by themselves after a lost connection, but not after an answer like 503. */
const RETRY_MS = 3000;

/** Exemplars as they are accepted, until the returned function is called. */
export function openLive(parameters: ApiParameters, events: LiveEvents): () => void {
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const connect = () => {
    source = new EventSource(apiUrl('query_exemplars', parameters));
    source.onopen = () => {
      events.onState('open');
      events.onOpen();
    };
    source.onerror = () => {
      events.onState('waiting');
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(connect, RETRY_MS);
    };
    source.addEventListener('exemplars', ({ data }) => {
      events.onExemplars(JSON.parse(data as string) as SeriesExemplars[]);
    });
    source.addEventListener('skipped', ({ data }) => {
      events.onSkipped((JSON.parse(data as string) as { exemplars: number }).exemplars);
    });
  };
  events.onState('connecting');
  connect();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

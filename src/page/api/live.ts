import type { SeriesExemplars } from './answers.js';
import { type ApiParameters, apiUrl } from './client.js';

/** `waiting`: there was no connection, or it was lost; it is tried again. */
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

/** Nor do they give up a try that nobody answers. */
const OPEN_TIMEOUT_MS = 10_000;

/** The server says every ten seconds that it is there: a connection may be lost, and nobody be told. */
const SILENCE_MS = 30_000;

/** Exemplars as they are accepted, until the returned function is called. */
export function openLive(parameters: ApiParameters, events: LiveEvents): () => void {
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const connect = () => {
    source = new EventSource(apiUrl('query_exemplars', parameters));
    connectAgainIn(OPEN_TIMEOUT_MS);
    source.onopen = () => {
      onHeard();
      events.onState('open');
      events.onOpen();
    };
    source.onerror = () => {
      events.onState('waiting');
      connectAgainIn(source.readyState === EventSource.CLOSED ? RETRY_MS : OPEN_TIMEOUT_MS);
    };
    source.addEventListener('quiet', onHeard);
    source.addEventListener('exemplars', (event) => {
      onHeard();
      events.onExemplars(dataOf<SeriesExemplars[]>(event));
    });
    source.addEventListener('skipped', (event) => {
      onHeard();
      events.onSkipped(dataOf<{ exemplars: number }>(event).exemplars);
    });
  };
  const onHeard = () => connectAgainIn(SILENCE_MS);
  const connectAgainIn = (delayMs: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      source.close();
      events.onState('waiting');
      connect();
    }, delayMs);
  };
  events.onState('connecting');
  connect();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

function dataOf<T>(event: Event): T {
  return JSON.parse((event as Event & { readonly data: string }).data) as T;
}

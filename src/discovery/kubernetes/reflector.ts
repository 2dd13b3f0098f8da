import { Backoff } from '../../util/backoff.js';
import { sleep } from '../../util/clock.js';
import { TimeSlices } from '../../util/time-slices.js';
import type { DiscoveryParts } from '../mechanism.js';
import type { DiscoveryMeter, KubernetesEvent } from '../metrics.js';
import { messageOf, TroubleLog } from '../trouble-log.js';
import { type ApiClient, ApiError, UnreadableEvent, type WatchEvent } from './api-client.js';
import { type Fields, optionalNumber, text } from './fields.js';
import { type Kind, type KubernetesObject, keyOf, readMeta } from './object.js';

/** Objects in one answer: some megabytes of pods. */
const PAGE_OBJECTS = 250;
/** The server ends a watch after so long, or up to twice as long: not all at once. */
const WATCH_SECONDS = 300;
/** A watch that ends sooner, and has brought nothing, is followed by a wait. */
const SHORT_MS = 1_000;
/** A version at which no watch begins, as often as this, is given up, whatever the server says of it. */
const MAX_RESUMES = 3;

export interface ReflectorParts extends Pick<DiscoveryParts, 'jobName' | 'clock' | 'log'> {
  readonly client: ApiClient;
  readonly meter: DiscoveryMeter;
  readonly random: () => number;
}

export interface ReflectorScope {
  /** Empty: all, or none at all. */
  readonly namespace: string;
  readonly label: string;
  readonly field: string;
}

/**
 * The objects of one kind as the server has them: listed page by page, then watched from the version of that list
 * on. A watch that ends is resumed at the last version that was seen; where the server no longer knows that one, or
 * what it says cannot be read, they are listed again.
 */
export class Reflector<T extends KubernetesObject = KubernetesObject> {
  readonly kind: Kind<T>;
  readonly #parts: ReflectorParts;
  readonly #path: string;
  readonly #selectors: Readonly<Record<string, string>>;
  readonly #onChange: (key: string) => void;
  readonly #onState: () => void;
  readonly #trouble: TroubleLog;
  readonly #backoff: Backoff;
  readonly #objects = new Map<string, T>();
  #isSynced = false;
  #hasFailed = false;
  #version = '';

  /** @param onState they were listed for the first time, or could not be */
  constructor(
    kind: Kind<T>,
    scope: ReflectorScope,
    parts: ReflectorParts,
    onChange: (key: string) => void,
    onState: () => void,
  ) {
    const { namespace, label, field } = scope;
    this.kind = kind;
    this.#parts = parts;
    const within = namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
    this.#path = `${kind.group}${within}/${kind.resource}`;
    this.#selectors = {
      ...(label === '' ? {} : { labelSelector: label }),
      ...(field === '' ? {} : { fieldSelector: field }),
    };
    this.#onChange = onChange;
    this.#onState = onState;
    const fields = { job: parts.jobName, mechanism: 'kubernetes', resource: kind.resource };
    this.#trouble = new TroubleLog(parts.log, namespace === '' ? fields : { ...fields, namespace });
    this.#backoff = new Backoff(parts.random);
  }

  /** By key; one map for good. */
  get objects(): ReadonlyMap<string, T> {
    return this.#objects;
  }

  /** Whether they have been listed once. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Until the signal is aborted; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#list(signal);
        await this.#follow(signal);
      } catch (error) {
        await this.#failed(error, signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { clock, meter } = this.#parts;
    const startMs = clock.monotonicMs();
    const slices = new TimeSlices(clock);
    const objects = new Map<string, T>();
    let version = '';
    let isPaged = true;
    for (let next: string | undefined = ''; next !== undefined; ) {
      const page: Awaited<ReturnType<ApiClient['list']>> | undefined = await this.#page(
        next,
        isPaged,
        signal,
      );
      if (page === undefined) {
        // The place in the list has expired: all in one go then.
        isPaged = false;
        next = '';
        objects.clear();
        continue;
      }
      for (const item of page.items) {
        const object = this.#read(item);
        objects.set(keyOf(object.meta), object);
        if (slices.isOver) await slices.pause();
      }
      version = page.version;
      next = page.continue === '' ? undefined : page.continue;
    }
    if (signal.aborted) return;
    this.#replace(objects);
    this.#version = version;
    meter.refreshed((clock.monotonicMs() - startMs) / 1000);
    if (this.#isSynced) return;
    this.#isSynced = true;
    this.#onState();
  }

  /** @returns undefined when the server no longer knows where the page before ended */
  async #page(next: string, isPaged: boolean, signal: AbortSignal) {
    const paging = isPaged ? { limit: String(PAGE_OBJECTS), ...(next === '' ? {} : { continue: next }) } : {};
    try {
      return await this.#parts.client.list(this.#path, { ...this.#selectors, ...paging }, signal);
    } catch (error) {
      if (next !== '' && error instanceof ApiError && error.status === 410) return undefined;
      throw error;
    }
  }

  /** Watches, again and again, until they have to be listed anew. @throws what makes that necessary and is no matter of course */
  async #follow(signal: AbortSignal): Promise<void> {
    const { clock, meter } = this.#parts;
    for (let refused = 0; !signal.aborted; ) {
      const startMs = clock.monotonicMs();
      const versionBefore = this.#version;
      try {
        const outcome = await this.#watch(signal);
        if (signal.aborted) return;
        refused = 0;
        meter.watchEnded(outcome);
        if (outcome === 'expired') return;
        const isShort = clock.monotonicMs() - startMs < SHORT_MS && this.#version === versionBefore;
        if (isShort) await sleep(clock, this.#backoff.nextMs(), signal);
        else this.#backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        meter.watchEnded('failed');
        if (error instanceof UnreadableEvent || ++refused === MAX_RESUMES) throw error;
        await this.#failed(error, signal);
      }
    }
  }

  async #watch(signal: AbortSignal): Promise<'ended' | 'disconnected' | 'silent' | 'expired'> {
    const { client, random } = this.#parts;
    const query = {
      ...this.#selectors,
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: this.#version,
      timeoutSeconds: String(Math.round(WATCH_SECONDS * (1 + random()))),
    };
    try {
      return await client.watch(
        this.#path,
        query,
        signal,
        () => this.#trouble.succeeded(),
        (event) => this.#take(event),
      );
    } catch (error) {
      if (error instanceof ApiError && error.status === 410) return 'expired';
      throw error;
    }
  }

  #take({ type, object: raw }: WatchEvent): void {
    if (type === 'ERROR') {
      const code = optionalNumber(raw.code) ?? 0;
      throw new ApiError(
        code,
        `the API server ended a watch with ${code}: ${text(raw.message).slice(0, 300)}`,
      );
    }
    const object = this.#read(raw);
    if (type === 'ADDED' || type === 'MODIFIED') this.#set(object);
    else if (type === 'DELETED') this.#delete(keyOf(object.meta));
    else if (type !== 'BOOKMARK') return;
    if (object.meta.version !== '') this.#version = object.meta.version;
  }

  #read(raw: Fields): T {
    return this.kind.read(raw, readMeta(raw));
  }

  #replace(objects: Map<string, T>): void {
    for (const key of [...this.#objects.keys()]) if (!objects.has(key)) this.#delete(key);
    for (const object of objects.values()) {
      const known = this.#objects.get(keyOf(object.meta));
      if (known === undefined || known.meta.version !== object.meta.version) this.#set(object);
    }
  }

  #set(object: T): void {
    const key = keyOf(object.meta);
    const event: KubernetesEvent = this.#objects.has(key) ? 'update' : 'add';
    this.#objects.set(key, object);
    this.#changed(key, event);
  }

  #delete(key: string): void {
    if (this.#objects.delete(key)) this.#changed(key, 'delete');
  }

  #changed(key: string, event: KubernetesEvent): void {
    this.#parts.meter.objectChanged(event);
    this.#onChange(key);
  }

  async #failed(error: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.#parts.meter.failed();
    this.#trouble.failed(messageOf(error));
    if (!this.#hasFailed) {
      this.#hasFailed = true;
      this.#onState();
    }
    const retryAfterMs = error instanceof ApiError ? error.retryAfterMs : 0;
    await sleep(this.#parts.clock, this.#backoff.nextMs(retryAfterMs), signal);
  }
}

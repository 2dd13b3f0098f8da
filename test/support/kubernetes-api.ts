/**
 * An API server as far as listing and watching goes: versions, pages, bookmarks, a history that is forgotten, and
 * what can go wrong. Objects have the shape that a real one sends.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerOptions } from 'node:https';
import { serve, type TestServer } from './http-servers.js';
import { until } from './until.js';

export type ApiObject = Readonly<Record<string, unknown>> & {
  readonly metadata: { readonly name: string; readonly namespace?: string } & Readonly<
    Record<string, unknown>
  >;
};

interface Change {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: string;
  readonly object: ApiObject;
}

interface Watch {
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly response: ServerResponse;
  readonly url: URL;
}

/** Kind and API version of the objects of each resource. */
const KINDS: Readonly<Record<string, readonly [kind: string, apiVersion: string]>> = {
  pods: ['Pod', 'v1'],
  services: ['Service', 'v1'],
  endpoints: ['Endpoints', 'v1'],
  nodes: ['Node', 'v1'],
  namespaces: ['Namespace', 'v1'],
  endpointslices: ['EndpointSlice', 'discovery.k8s.io/v1'],
  ingresses: ['Ingress', 'networking.k8s.io/v1'],
};

function typed(resource: string, suffix = ''): { kind: string; apiVersion: string } {
  const [kind = 'Unknown', apiVersion = 'v1'] = KINDS[resource] ?? [];
  return { kind: kind + suffix, apiVersion };
}

const PATH =
  /^(?:\/api\/v1|\/apis\/[a-z.0-9]+\/v1)(?:\/namespaces\/(?<namespace>[^/]+))?\/(?<resource>[a-z]+)$/;

export class KubernetesApi {
  readonly watches = new Set<Watch>();
  /** Undefined: anybody may ask. */
  token: string | undefined;
  /** Answers in the place of the server, if it wants. @returns whether it has */
  intercept: (url: URL, response: ServerResponse) => boolean = () => false;
  /** Whether watches take versions that are forgotten, only to say so in an event. */
  saysExpiredInEvent = false;
  readonly #server: TestServer;
  readonly #objects = new Map<string, ApiObject>();
  readonly #history: Change[] = [];
  #version = 1_000;
  #oldest = 0;
  #continueTokens = 0;
  readonly #snapshots = new Map<string, readonly ApiObject[]>();

  private constructor(server: TestServer) {
    this.#server = server;
  }

  static async listen(tls?: ServerOptions): Promise<KubernetesApi> {
    const server = await serve(() => {}, tls);
    const api = new KubernetesApi(server);
    server.answer = (request, response) => api.#answer(request, response);
    return api;
  }

  get port(): number {
    return this.#server.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Requests by kind and resource: `list pods`, `watch pods@1003`. */
  get asked(): string[] {
    return this.#server.asked.map(({ url }) => {
      const { pathname, searchParams } = new URL(url, 'http://x');
      const resource = PATH.exec(pathname)?.groups?.resource ?? pathname;
      if (searchParams.has('watch')) return `watch ${resource}@${searchParams.get('resourceVersion')}`;
      return `list ${resource}${searchParams.has('continue') ? ' on' : ''}`;
    });
  }

  get urls(): URL[] {
    return this.#server.asked.map(({ url }) => new URL(url, 'http://x'));
  }

  get authorizations(): (string | undefined)[] {
    return this.#server.asked.map(({ headers }) => headers.authorization);
  }

  set(resource: string, object: ApiObject): void {
    const key = keyOf(resource, object);
    const type = this.#objects.has(key) ? 'MODIFIED' : 'ADDED';
    const versioned = this.#versioned(resource, object);
    this.#objects.set(key, versioned);
    this.#publish({ version: this.#version, type, resource, object: versioned });
  }

  remove(resource: string, object: ApiObject): void {
    this.#objects.delete(keyOf(resource, object));
    this.#publish({
      version: this.#version + 1,
      type: 'DELETED',
      resource,
      object: this.#versioned(resource, object),
    });
  }

  /** Time goes by without any object of interest changing. */
  pass(versions: number): void {
    this.#version += versions;
  }

  bookmark(): void {
    for (const { response, resource } of this.watches)
      send(response, 'BOOKMARK', {
        ...typed(resource),
        metadata: { resourceVersion: String(this.#version) },
      });
  }

  /** Forgets everything before now. */
  compact(): void {
    this.#oldest = this.#version;
    this.#snapshots.clear();
  }

  /** Something that is written into every watch as it is. */
  write(text: string | Buffer): void {
    for (const { response } of this.watches) response.write(text);
  }

  disconnect(): void {
    for (const { response } of this.watches) response.destroy();
    this.watches.clear();
  }

  end(): void {
    for (const { response } of this.watches) response.end();
    this.watches.clear();
  }

  /** Until so many watches are open. */
  async watched(count: number): Promise<void> {
    await until(() => this.watches.size === count, `${count} watches; asked ${this.asked}`);
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  #versioned(resource: string, object: ApiObject): ApiObject {
    this.#version++;
    return {
      ...typed(resource),
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(this.#version) },
    };
  }

  #publish(change: Change): void {
    this.#history.push(change);
    for (const watch of this.watches) if (concerns(watch, change)) send(watch.response, change.type, change.object); // biome-ignore format: one line
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://x');
    if (this.intercept(url, response)) return;
    if (url.pathname === '/version') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ major: '1', minor: '30', gitVersion: 'v1.30.0' }));
      return;
    }
    const isKnown = this.token === undefined || request.headers.authorization === `Bearer ${this.token}`;
    const { resource, namespace } = PATH.exec(url.pathname)?.groups ?? {};
    if (!isKnown) refuse(response, 401, 'Unauthorized');
    else if (resource === undefined)
      refuse(response, 404, 'the server could not find the requested resource');
    else if (url.searchParams.has('watch')) this.#watch({ resource, namespace, response, url });
    else this.#list(resource, namespace, url.searchParams, response);
  }

  #list(
    resource: string,
    namespace: string | undefined,
    query: URLSearchParams,
    response: ServerResponse,
  ): void {
    const token = query.get('continue');
    const rest = token === null ? this.#select(resource, namespace) : this.#snapshots.get(token);
    if (rest === undefined) {
      refuse(response, 410, 'The provided continue parameter is too old');
      return;
    }
    const limit = Number(query.get('limit') ?? rest.length);
    let next = '';
    if (rest.length > limit) {
      next = `token-${++this.#continueTokens}`;
      this.#snapshots.set(next, rest.slice(limit));
    }
    const metadata = { resourceVersion: String(this.#version), ...(next === '' ? {} : { continue: next }) };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ...typed(resource, 'List'), metadata, items: rest.slice(0, limit) }));
  }

  #select(resource: string, namespace: string | undefined): ApiObject[] {
    return [...this.#objects]
      .filter(([key]) => key.startsWith(`${resource} `))
      .map(([, object]) => object)
      .filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace);
  }

  #watch(watch: Watch): void {
    const { response, url } = watch;
    const since = Number(url.searchParams.get('resourceVersion'));
    const isExpired = since < this.#oldest;
    const message = `too old resource version: ${since} (${this.#oldest})`;
    if (isExpired && !this.saysExpiredInEvent) {
      refuse(response, 410, message);
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    if (isExpired) {
      send(response, 'ERROR', status(410, message));
      response.end();
      return;
    }
    for (const change of this.#history)
      if (change.version > since && concerns(watch, change)) send(response, change.type, change.object);
    this.watches.add(watch);
    response.on('close', () => this.watches.delete(watch));
  }
}

function keyOf(resource: string, { metadata }: ApiObject): string {
  return `${resource} ${metadata.namespace ?? ''}/${metadata.name}`;
}

function concerns({ resource, namespace }: Watch, change: Change): boolean {
  if (change.resource !== resource) return false;
  return namespace === undefined || change.object.metadata.namespace === namespace;
}

function send(response: ServerResponse, type: string, object: object): void {
  response.write(`${JSON.stringify({ type, object })}\n`);
}

function status(code: number, message: string): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code };
}

export function refuse(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(status(code, message)));
}

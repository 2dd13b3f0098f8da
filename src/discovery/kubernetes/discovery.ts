import { setMaxListeners } from 'node:events';
import { Backoff } from '../../util/backoff.js';
import { sleep } from '../../util/clock.js';
import { TimeSlices } from '../../util/time-slices.js';
import type { Discovery, DiscoveryParts, OnGroups } from '../mechanism.js';
import type { DiscoveryMeter } from '../metrics.js';
import type { KubernetesDiscoveryOptions } from '../options.js';
import { messageOf, TroubleLog } from '../trouble-log.js';
import { type ClusterAccess, type ClusterEnvironment, findAccess, OWN_CLUSTER } from './access.js';
import { ApiClient } from './api-client.js';
import { endpointsKind, endpointsRole } from './endpoints.js';
import { endpointSliceKind, endpointSliceRole } from './endpointslice.js';
import { ingressKind, ingressRole } from './ingress.js';
import { namespaceKind } from './namespace.js';
import { NamespaceView } from './namespace-view.js';
import { nodeKind, nodeRole } from './node.js';
import type { Kind, KindName, KubernetesObject } from './object.js';
import { podKind } from './pod.js';
import { podRole } from './pod-role.js';
import { Reflector } from './reflector.js';
import type { Role } from './role.js';
import { serviceKind } from './service.js';
import { serviceRole } from './service-role.js';

/** Changes that come in a row are shown together: lists that end at about the same time, and then pods that start. */
const FIRST_GATHER_MS = 100;
const GATHER_MS = 1_000;

/** Objects of a cluster as target groups, one an object, followed as they change. */
export class KubernetesDiscovery implements Discovery {
  readonly #options: KubernetesDiscoveryOptions;
  readonly #parts: DiscoveryParts;
  readonly #environment: ClusterEnvironment;
  readonly #random: () => number;
  readonly #meter: DiscoveryMeter;
  readonly #stop = new AbortController();
  readonly #reflectors: Reflector[] = [];
  #views: NamespaceView[] = [];
  #hasShown = false;
  #onGroups: OnGroups = () => {};
  #running: Promise<void> = Promise.resolve();
  #showing: Promise<void> = Promise.resolve();
  #cancelShow: (() => void) | undefined;

  /** @param random from 0 to 1, for waits that are not to be the same everywhere */
  constructor(
    options: KubernetesDiscoveryOptions,
    parts: DiscoveryParts,
    environment = OWN_CLUSTER,
    random: () => number = Math.random,
  ) {
    this.#options = options;
    this.#parts = parts;
    this.#environment = environment;
    this.#random = random;
    this.#meter = parts.metrics.meter(parts.jobName, 'kubernetes');
    // Every kind of objects in every namespace listens to it.
    setMaxListeners(0, this.#stop.signal);
  }

  start(onGroups: OnGroups): void {
    this.#onGroups = onGroups;
    this.#running = this.#run(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped'));
    this.#cancelShow?.();
    await this.#running;
    await this.#showing;
    this.#meter.close();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const access = await this.#findAccess(signal);
    if (access === undefined) return;
    const { userAgent, clock } = this.#parts;
    const client = new ApiClient(access, userAgent, clock);
    this.#views = this.#createViews(client, access.ownNamespace);
    await Promise.all(this.#reflectors.map((reflector) => reflector.run(signal)));
    await client.close();
  }

  /** A kubeconfig or a service account may come later. @returns undefined when stopped */
  async #findAccess(signal: AbortSignal): Promise<ClusterAccess | undefined> {
    const { jobName: job, clock, log } = this.#parts;
    const trouble = new TroubleLog(log, { job, mechanism: 'kubernetes' });
    const backoff = new Backoff(this.#random);
    while (!signal.aborted) {
      try {
        const access = await findAccess(this.#options, this.#environment);
        trouble.succeeded();
        return access;
      } catch (error) {
        this.#meter.failed();
        trouble.failed(messageOf(error));
        await sleep(clock, backoff.nextMs(), signal);
      }
    }
    return undefined;
  }

  #createViews(client: ApiClient, ownNamespace: string): NamespaceView[] {
    const { role, namespaces } = this.#options;
    const names = [...namespaces.names, ...(namespaces.ownNamespace ? [ownNamespace] : [])];
    const isEverywhere = role === 'node' || names.length === 0;
    const { nodes, namespaces: all } = this.#createClusterReflectors(client);
    return [...new Set(isEverywhere ? [''] : names)].map((name) =>
      this.#createRoleView(name, client, nodes, all),
    );
  }

  #createRoleView(
    namespace: string,
    client: ApiClient,
    nodes: Reflector | undefined,
    all: Reflector | undefined,
  ): NamespaceView {
    switch (this.#options.role) {
      case 'pod':
        return this.#createView(podKind, podRole(this.#selects('node')), namespace, client, nodes, all);
      case 'service':
        return this.#createView(serviceKind, serviceRole, namespace, client, nodes, all);
      case 'endpoints':
        return this.#createView(endpointsKind, endpointsRole, namespace, client, nodes, all);
      case 'endpointslice':
        return this.#createView(endpointSliceKind, endpointSliceRole, namespace, client, nodes, all);
      case 'node':
        return this.#createView(nodeKind, nodeRole, namespace, client, undefined, undefined);
      case 'ingress':
        return this.#createView(ingressKind, ingressRole, namespace, client, nodes, all);
    }
  }

  /** What lies outside of namespaces is watched once for all of them. */
  #createClusterReflectors(client: ApiClient) {
    const { role, attachMetadata } = this.#options;
    const hasNodes = role === 'pod' || role === 'endpoints' || role === 'endpointslice';
    const needsNodes = hasNodes && (attachMetadata.node || (role === 'pod' && this.#selects('node')));
    const tellAll = (kind: KindName) => (key: string) => {
      for (const view of this.#views) view.otherChanged(kind, key);
    };
    return {
      nodes: needsNodes ? this.#createReflector(nodeKind, '', client, tellAll('node')) : undefined,
      namespaces:
        attachMetadata.namespace && role !== 'node'
          ? this.#createReflector(namespaceKind, '', client, tellAll('namespace'))
          : undefined,
    };
  }

  #createView<T extends KubernetesObject>(
    kind: Kind<T>,
    role: Role<T>,
    namespace: string,
    client: ApiClient,
    nodes: Reflector | undefined,
    namespaces: Reflector | undefined,
  ): NamespaceView {
    const ofOther = <Other extends KubernetesObject>(other: Kind<Other>) =>
      this.#createReflector(other, namespace, client, (key) => view.otherChanged(other.name, key));
    const main = this.#createReflector(kind, namespace, client, (key) => view.changed(key));
    const pods = role.needs.includes('pod') ? ofOther(podKind) : undefined;
    const services = role.needs.includes('service') ? ofOther(serviceKind) : undefined;
    const others = [pods, services, nodes, namespaces].filter((each) => each !== undefined) as Reflector[];
    const view = new NamespaceView(role, main, others, {
      pods: pods?.objects ?? new Map(),
      services: services?.objects ?? new Map(),
      nodes: nodes?.objects,
      namespaces: namespaces?.objects,
    });
    return view as unknown as NamespaceView;
  }

  #createReflector<T extends KubernetesObject>(
    kind: Kind<T>,
    namespace: string,
    client: ApiClient,
    onChange: (key: string) => void,
  ): Reflector<T> {
    const { label = '', field = '' } = this.#options.selectors.find(({ role }) => role === kind.name) ?? {};
    const reflector = new Reflector(
      kind,
      { namespace, label, field },
      { ...this.#parts, client, meter: this.#meter, random: this.#random },
      (key) => {
        onChange(key);
        this.#showSoon();
      },
      () => this.#showSoon(),
    );
    this.#reflectors.push(reflector as unknown as Reflector);
    return reflector;
  }

  #selects(kind: KindName): boolean {
    return this.#options.selectors.some(({ role }) => role === kind);
  }

  #showSoon(): void {
    if (this.#stop.signal.aborted) return;
    this.#cancelShow ??= this.#parts.clock.after(this.#hasShown ? GATHER_MS : FIRST_GATHER_MS, () => {
      this.#cancelShow = undefined;
      this.#showing = this.#showing.then(() => this.#show());
    });
  }

  /** Once every namespace is known, or is known to be in trouble: one that may not be read keeps no others back. */
  async #show(): Promise<void> {
    const { signal } = this.#stop;
    const synced = this.#views.filter(({ isSynced }) => isSynced);
    const isWaiting = this.#views.some(({ isSynced, hasFailed }) => !isSynced && !hasFailed);
    if (signal.aborted || isWaiting || synced.length === 0) return;
    const slices = new TimeSlices(this.#parts.clock);
    for (const view of synced) await view.build(slices);
    if (signal.aborted) return;
    const groups = synced.flatMap(({ groups }) => [...groups]);
    this.#hasShown = true;
    this.#meter.found(groups);
    this.#onGroups(groups);
  }
}

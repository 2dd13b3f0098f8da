import { Resolver } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import type { TargetGroup } from '../model/target-group.js';
import type { Discovery, DiscoveryParts, OnGroups } from './mechanism.js';
import type { DiscoveryMeter } from './metrics.js';
import type { DnsDiscoveryOptions } from './options.js';
import { RefreshLoop } from './refresh-loop.js';
import { candidates, readSearchOptions, type SearchOptions } from './resolv-conf.js';
import { messageOf, TroubleLog } from './trouble-log.js';

/** Of each name server for each question, by the system's clock: the resolver of Node.js has timers of its own. */
const TIMEOUT_MS = 2_000;
const TRIES = 2;

/** Names stand as they are. */
const NO_SEARCH: SearchOptions = { domains: [], ndots: 0 };

type TargetLabels = Readonly<Record<string, string>>;

/** Names that are looked up at an interval. One that does not exist has no targets; where a lookup fails, the last stay. */
export class DnsDiscovery implements Discovery {
  readonly #options: DnsDiscoveryOptions;
  readonly #parts: DiscoveryParts;
  readonly #timeoutMs: number;
  readonly #meter: DiscoveryMeter;
  readonly #names: readonly { readonly name: string; readonly trouble: TroubleLog }[];
  readonly #loop: RefreshLoop;
  readonly #groups = new Map<string, TargetGroup>();
  #onGroups: OnGroups = () => {};
  #shown = '';

  /** @param timeoutMs of one question to one name server */
  constructor(options: DnsDiscoveryOptions, parts: DiscoveryParts, timeoutMs = TIMEOUT_MS) {
    const { jobName: job, clock, metrics, log } = parts;
    this.#options = options;
    this.#parts = parts;
    this.#timeoutMs = timeoutMs;
    this.#meter = metrics.meter(job, 'dns');
    this.#names = [...new Set(options.names)].map((name) => ({
      name,
      trouble: new TroubleLog(log, { job, mechanism: 'dns', name, type: options.recordType }),
    }));
    this.#loop = new RefreshLoop(clock, options.refreshIntervalMs, (signal) => this.#refresh(signal));
  }

  start(onGroups: OnGroups): void {
    this.#onGroups = onGroups;
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    this.#meter.close();
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const startMs = clock.monotonicMs();
    // Made anew each time: that of the system reads its configuration when it is made.
    const resolver = new Resolver({ timeout: this.#timeoutMs, tries: TRIES });
    const { servers } = this.#options;
    if (servers.length > 0) resolver.setServers(servers);
    const cancel = () => resolver.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    await Promise.all(this.#names.map((each) => this.#refreshName(each, resolver, signal)));
    signal.removeEventListener('abort', cancel);
    if (signal.aborted) return;
    this.#meter.refreshed((clock.monotonicMs() - startMs) / 1000);
    this.#show();
  }

  async #refreshName(
    { name, trouble }: { readonly name: string; readonly trouble: TroubleLog },
    resolver: Resolver,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const targets = await this.#lookUp(name, resolver);
      const labelled = targets.map((target) => ({ ...target, __meta_dns_name: name }));
      this.#groups.set(name, { source: name, targets: labelled, labels: {} });
      trouble.succeeded();
    } catch (error) {
      if (signal.aborted) return;
      this.#meter.failed();
      trouble.failed(messageOf(error));
    }
  }

  /** In the order of the configuration, where anything is known and has changed. */
  #show(): void {
    const groups = this.#names.flatMap(({ name }) => this.#groups.get(name) ?? []);
    const shown = JSON.stringify(groups);
    if (groups.length === 0 || shown === this.#shown) return;
    this.#shown = shown;
    this.#meter.found(groups);
    this.#onGroups(groups);
  }

  /** As Prometheus: the first candidate that exists; none, if every one is known not to exist; else an error. */
  async #lookUp(name: string, resolver: Resolver): Promise<TargetLabels[]> {
    const search = this.#options.servers.length > 0 ? NO_SEARCH : await readSearchOptions();
    let failure: unknown;
    for (const candidate of candidates(name, search)) {
      try {
        const targets = await this.#ask(candidate, resolver);
        return targets.sort(byAddress);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // The name is there, without such records.
        if (code === 'ENODATA') return [];
        if (code !== 'ENOTFOUND') failure = error;
      }
    }
    if (failure !== undefined) throw failure;
    return [];
  }

  async #ask(name: string, resolver: Resolver): Promise<TargetLabels[]> {
    const { recordType, port } = this.#options;
    switch (recordType) {
      case 'A':
        return (await resolver.resolve4(name)).map((address) => target(address, port));
      case 'AAAA':
        return (await resolver.resolve6(name)).map((address) => target(address, port));
      case 'SRV':
        return (await resolver.resolveSrv(name))
          .filter((record) => record.name !== '')
          .map((record) => ({
            ...target(record.name, record.port),
            __meta_dns_srv_record_target: rooted(record.name),
            __meta_dns_srv_record_port: String(record.port),
          }));
      case 'MX':
        return (await resolver.resolveMx(name))
          .filter(({ exchange }) => exchange !== '')
          .map(({ exchange }) => ({
            ...target(exchange, port),
            __meta_dns_mx_record_target: rooted(exchange),
          }));
      case 'NS':
        return (await resolver.resolveNs(name)).map((server) => ({
          ...target(server, port),
          __meta_dns_ns_record_target: rooted(server),
        }));
    }
  }
}

function target(host: string, port: number): { readonly __address__: string } {
  return { __address__: isIPv6(host) ? `[${host}]:${port}` : `${host.replace(/\.$/, '')}:${port}` };
}

/** As it stands in the record. */
function rooted(host: string): string {
  return host.endsWith('.') ? host : `${host}.`;
}

/** Name servers give their answers in an order that changes each time. */
function byAddress(a: TargetLabels, b: TargetLabels): number {
  const [first, second] = [a.__address__ ?? '', b.__address__ ?? ''];
  return first < second ? -1 : first > second ? 1 : 0;
}

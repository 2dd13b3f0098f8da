import type { Discovery, OnGroups } from './mechanism.js';
import type { StaticDiscoveryOptions } from './options.js';

/** Targets that the configuration lists. */
export class StaticDiscovery implements Discovery {
  readonly #options: StaticDiscoveryOptions;

  constructor(options: StaticDiscoveryOptions) {
    this.#options = options;
  }

  start(onGroups: OnGroups): void {
    onGroups(this.#options.groups);
  }

  async stop(): Promise<void> {}
}

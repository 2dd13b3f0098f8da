import { DnsDiscovery } from './dns.js';
import { FileDiscovery } from './file.js';
import { HttpDiscovery } from './http.js';
import { KubernetesDiscovery } from './kubernetes/discovery.js';
import type { Discovery, DiscoveryParts } from './mechanism.js';
import type { DiscoveryOptions } from './options.js';
import { StaticDiscovery } from './static.js';

export type { Discovery, DiscoveryParts, OnGroups } from './mechanism.js';

export function createDiscovery(options: DiscoveryOptions, parts: DiscoveryParts): Discovery {
  switch (options.type) {
    case 'static':
      return new StaticDiscovery(options);
    case 'file':
      return new FileDiscovery(options, parts);
    case 'http':
      return new HttpDiscovery(options, parts);
    case 'dns':
      return new DnsDiscovery(options, parts);
    case 'kubernetes':
      return new KubernetesDiscovery(options, parts);
  }
}

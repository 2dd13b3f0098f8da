/** What a discovery needs, and what it found and said. */
import type { Discovery, DiscoveryParts } from '../../src/discovery/discovery.js';
import { DiscoveryMetrics } from '../../src/discovery/metrics.js';
import type { TargetGroup } from '../../src/model/target-group.js';
import { createRegistry } from '../../src/telemetry/registry.js';
import type { Clock } from '../../src/util/clock.js';
import type { Log } from '../../src/util/log.js';
import { FakeClock } from './fake-clock.js';
import { until } from './until.js';

export interface LogLine {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export function recordingLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields: fields as Record<string, unknown>, message });
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export class Found {
  readonly registry = createRegistry();
  readonly log = recordingLog();
  readonly clock: Clock;
  readonly parts: DiscoveryParts;
  /** Every answer, the last one last. */
  readonly answers: (readonly TargetGroup[])[] = [];

  constructor(clock: Clock = new FakeClock()) {
    this.clock = clock;
    const metrics = new DiscoveryMetrics(this.registry);
    this.parts = { jobName: 'j', userAgent: 'exemplard/test', metrics, clock, log: this.log };
  }

  start(discovery: Discovery): Discovery {
    discovery.start((groups) => this.answers.push(groups));
    return discovery;
  }

  get groups(): readonly TargetGroup[] {
    return this.answers.at(-1) ?? [];
  }

  get addresses(): string[] {
    return this.groups.flatMap(({ targets }) => targets.map((target) => target.__address__ ?? ''));
  }

  get warnings(): string[] {
    return this.log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => String(fields.error));
  }

  async until(addresses: readonly string[]): Promise<void> {
    const want = JSON.stringify(addresses);
    try {
      await until(() => this.answers.length > 0 && JSON.stringify(this.addresses) === want, want);
    } catch {
      throw new Error(`want ${want}, got ${JSON.stringify(this.addresses)} after ${this.answers.length} answers; ${this.warnings}`); // biome-ignore format: one line
    }
  }

  /** The value of a metric, by the start of its line. */
  async metric(start: string): Promise<number | undefined> {
    const line = (await this.registry.metrics()).split('\n').find((each) => each.startsWith(start));
    return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')));
  }
}

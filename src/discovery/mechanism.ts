import type { TargetGroup } from '../model/target-group.js';
import type { Clock } from '../util/clock.js';
import type { Log } from '../util/log.js';
import type { DiscoveryMetrics } from './metrics.js';

/** All groups that a mechanism knows. */
export type OnGroups = (groups: readonly TargetGroup[]) => void;

/**
 * One mechanism of one job, which finds targets and goes on finding them. It calls `onGroups` when it first knows
 * the groups, and again, with all of them, whenever they may have changed. What it cannot find out it logs and
 * counts, and the groups found last stay what they are.
 */
export interface Discovery {
  start(onGroups: OnGroups): void;
  /** Nothing of it is under way any more when this resolves, and `onGroups` is not called again. */
  stop(): Promise<void>;
}

export interface DiscoveryParts {
  readonly jobName: string;
  readonly userAgent: string;
  readonly metrics: DiscoveryMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

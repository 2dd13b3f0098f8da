import { Explore } from './explore/explore.js';
import { Retention } from './retention/retention.js';
import { Sinks } from './sinks/sinks.js';
import { Targets } from './targets/targets.js';
import type { View } from './view.js';

/** All views in the order of the navigation, the first one being home. One folder or file each. */
export const VIEWS: readonly View[] = [
  { id: 'explore', title: 'Explore', component: Explore },
  { id: 'retention', title: 'Retention', component: Retention },
  { id: 'targets', title: 'Targets', component: Targets },
  { id: 'sinks', title: 'Sinks', component: Sinks },
];

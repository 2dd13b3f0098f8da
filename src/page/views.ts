import { Explore } from './explore/explore.js';
import type { View } from './view.js';

/** All views in the order of the navigation, the first one being home. One folder or file each. */
export const VIEWS: readonly View[] = [{ id: 'explore', title: 'Explore', component: Explore }];

import type { Source } from '../api/answers.js';
import type { SHAPES } from './point-painter.js';

/** Where an exemplar was found, as a shape: colours mean something else already. */
export const SHAPE_OF: Readonly<Record<Source, (typeof SHAPES)[number]>> = {
  memory: 'disc',
  archive: 'frame',
  upstream: 'triangle',
};

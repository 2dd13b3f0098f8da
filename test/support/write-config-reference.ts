/** Writes docs/configuration.md anew; `npm run docs`. */
import { writeFileSync } from 'node:fs';
import { configReference } from '../../src/config/reference.js';

writeFileSync(new URL('../../docs/configuration.md', import.meta.url), configReference());

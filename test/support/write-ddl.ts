/** Writes the DDL below deploy/clickhouse anew; `npm run ddl`. */
import { writeFileSync } from 'node:fs';
import { ddlFiles } from './archive-ddl.js';

for (const [name, text] of Object.entries(ddlFiles()))
  writeFileSync(new URL(`../../deploy/clickhouse/${name}`, import.meta.url), text);

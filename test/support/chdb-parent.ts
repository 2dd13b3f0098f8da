/** A process with an engine below it, which says the engine's process id and stays. */
import { ChdbDatabase } from '../../src/clickhouse/chdb/chdb-database.js';
import { rowsOf } from '../../src/clickhouse/database.js';
import { systemClock } from '../../src/util/clock.js';
import { silentLog } from '../../src/util/log.js';

const options = { directory: process.argv[2]!, maxMemoryBytes: 1e9 };
const database = new ChdbDatabase({ ...options, clock: systemClock, log: silentLog });
await rowsOf(database, 'SELECT 1');
process.send?.(database.pid);

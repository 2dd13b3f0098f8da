/** What people are told to look at is there with an upstream, too, to which most of `/api/v1/` belongs then. */

import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { Destinations, ELSEWHERE } from '../../src/http/destination.js';
import { ROOT } from '../support/build.js';

const destinations = new Destinations({ routePrefix: '', publicPrefix: '', hasUpstream: () => true });

t.test('paths in alerts, dashboards and the table of the tutorial are exemplard’s', async (t) => {
  const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
  for (const [file, text] of [
    ['alerts', read('deploy/alerts/exemplard.rules.yml')],
    ['dashboard', read('deploy/grafana/dashboards/exemplard.json')],
    ['tutorial', read('docs/tutorial.md').split('## 6.')[1]!],
    ['keys', read('docs/configuration.md')],
  ] as const) {
    const paths = [...text.matchAll(/(?:\/exemplard)?\/api\/v1\/[\w/]+/g)].map(([path]) => path);
    t.ok(paths.length > 0, file);
    for (const url of paths)
      t.not(destinations.route({ url } as IncomingMessage), ELSEWHERE, `${file}: ${url}`);
  }
});

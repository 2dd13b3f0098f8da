import { manySeriesBody } from '../page/exemplar-history.js';
import { serveInTurn } from './changing-target.js';
import { until } from './until.js';

/** As many as a page shows at most. */
export const SERIES = 100_000;
const HOUR_MS = 3_600_000;

export interface ManySeries {
  /** Of an exemplard that scrapes them. */
  readonly config: string;
  /** Resolves when all exemplars are held; from then on the target answers nothing, and costs nothing. */
  held(url: string): Promise<void>;
  close(): Promise<void>;
}

/** A target with 100,000 series, and so many exemplars of each within the last hour. */
export async function serveManySeries(perSeries: number): Promise<ManySeries> {
  // Some are nearly an hour old, and none is older before a test is over.
  const startMs = Date.now() - HOUR_MS * 0.95;
  const stepMs = (HOUR_MS * 0.9) / perSeries;
  const bodies = Array.from({ length: perSeries }, (_, nth) =>
    manySeriesBody(SERIES, nth, startMs + nth * stepMs, startMs + (nth + 1) * stepMs),
  );
  const { served } = await serveInTurn(bodies);
  return {
    config: `
storage:
  exemplars: {max_exemplars: 1100000, max_bytes: 2GiB}
scrape_configs:
  - job_name: many
    scrape_interval: 2s
    static_configs: [{targets: ['${served.address}']}]
`,
    async held(url) {
      const exemplars = async () => {
        const response = await fetch(`${url}/api/v1/retention`);
        const { data } = (await response.json()) as { data: { groups: { exemplars: number }[] } };
        return data.groups[0]?.exemplars ?? 0;
      };
      await until(async () => (await exemplars()) >= SERIES * perSeries, 'all exemplars', 120_000);
      served.answer = (response) => response.writeHead(503).end();
    },
    close: () => served.close(),
  };
}

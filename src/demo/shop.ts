import { randomBytes } from 'node:crypto';
import { Counter, Histogram, type OpenMetricsContentType, Registry } from 'prom-client';

interface Route {
  readonly method: string;
  readonly path: string;
  /** Share of all requests. */
  readonly share: number;
  readonly typicalMs: number;
  /** Share of its requests that fail. */
  readonly failing: number;
}

const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/', share: 0.4, typicalMs: 8, failing: 0.001 },
  { method: 'GET', path: '/products/{id}', share: 0.35, typicalMs: 25, failing: 0.004 },
  { method: 'POST', path: '/cart', share: 0.15, typicalMs: 40, failing: 0.01 },
  { method: 'POST', path: '/checkout', share: 0.08, typicalMs: 180, failing: 0.03 },
  { method: 'GET', path: '/admin/report', share: 0.02, typicalMs: 900, failing: 0.02 },
];

/** Every two minutes the shop is slow for twenty seconds, so that there is something to look for. */
const SLOW_EVERY_MS = 120_000;
const SLOW_FOR_MS = 20_000;
const SLOWNESS = 8;

/** A pretend shop, instrumented as a real one would be. */
export class Shop {
  readonly registry = new Registry<OpenMetricsContentType>();
  readonly #requests: Counter;
  readonly #seconds: Histogram;

  constructor() {
    this.registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const labelNames = ['method', 'route', 'status'];
    this.#requests = new Counter({
      name: 'shop_http_requests_total',
      help: 'Requests answered.',
      labelNames,
      enableExemplars: true,
      registers: [this.registry],
    });
    this.#seconds = new Histogram({
      name: 'shop_http_request_duration_seconds',
      help: 'Time to answer a request.',
      labelNames,
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      enableExemplars: true,
      registers: [this.registry],
    });
  }

  /** One visitor's request, answered in no time but measured as if it took some. */
  serveOne(nowMs: number): void {
    const route = pickRoute(Math.random());
    const slowness = nowMs % SLOW_EVERY_MS < SLOW_FOR_MS ? SLOWNESS : 1;
    const failed = Math.random() < route.failing * slowness;
    const labels = { method: route.method, route: route.path, status: failed ? '500' : '200' };
    const exemplarLabels = {
      trace_id: randomBytes(16).toString('hex'),
      span_id: randomBytes(8).toString('hex'),
    };
    const seconds = (route.typicalMs * slowness * longTailed()) / 1000;
    this.#seconds.observe({ labels, value: seconds, exemplarLabels });
    this.#requests.inc({ labels, value: 1, exemplarLabels });
  }
}

function pickRoute(random: number): Route {
  let rest = random;
  return ROUTES.find(({ share }) => (rest -= share) < 0) ?? ROUTES[0]!;
}

/** Around 1, now and then many times that: latencies are log-normal more than anything else. */
function longTailed(): number {
  const normal = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return Math.exp(0.6 * normal);
}

/** Bodies that a target would have answered over some time, so that charts have something to show at once. */
import { type Answer, body } from '../support/target.js';

const BOUNDS = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '+Inf'];
const ROUTES = ['/', '/cart', '/checkout', '/products/{id}'];

/** Series with an exemplar each. */
export const SERIES_PER_BODY = BOUNDS.length * ROUTES.length;

/** A histogram with one new exemplar in each bucket, at about that time. */
export function histogramBody(nth: number, timeMs: number): string {
  const random = randomFrom(nth + 1);
  let text = '# TYPE shop_seconds histogram\n# HELP shop_seconds Time to answer a request.\n';
  ROUTES.forEach((route) => {
    BOUNDS.forEach((bound, place) => {
      const low = Number(BOUNDS[place - 1] ?? '0.001');
      const high = bound === '+Inf' ? 9 : Number(bound);
      const value = (low + (high - low) * random()).toFixed(5);
      const seconds = (timeMs / 1000 + random()).toFixed(3);
      const exemplar = `{trace_id="${hex(32, random)}",span_id="${hex(16, random)}"} ${value} ${seconds}`;
      text += `shop_seconds_bucket{route="${route}",le="${bound}"} ${(place + 1) * nth} # ${exemplar}\n`;
    });
    text += `shop_seconds_count{route="${route}"} ${BOUNDS.length * nth}\nshop_seconds_sum{route="${route}"} ${nth}\n`;
  });
  return `${text}# EOF\n`;
}

/** Another of them, of a second ago, at every scrape. */
export function freshHistogram(): Answer {
  let scrapes = 0;
  return (response, request) => body(histogramBody(scrapes++, Date.now() - 1000))(response, request);
}

/** So many of them, a minute apart, up to now. */
export function minutesOfShop(count: number): string[] {
  const startMs = Date.now() - count * 60_000;
  return Array.from({ length: count }, (_, nth) => histogramBody(nth, startMs + nth * 60_000));
}

/** One exemplar in each of so many series, anywhere in the time between. */
export function manySeriesBody(count: number, nth: number, startMs: number, endMs: number): string {
  const random = randomFrom(nth + 1);
  const lines = ['# TYPE many counter'];
  for (let id = 0; id < count; id++) {
    const value = Math.exp(4 * random() - 2 + (id % 12) / 3).toFixed(4);
    const seconds = ((startMs + (endMs - startMs) * random()) / 1000).toFixed(3);
    lines.push(
      `many_total{group="${id % 12}",id="${id}"} ${nth} # {trace_id="${hex(32, random)}"} ${value} ${seconds}`,
    );
  }
  return `${lines.join('\n')}\n# EOF\n`;
}

export function randomFrom(seed: number): () => number {
  let state = seed * 7919;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

function hex(length: number, random: () => number): string {
  let text = '';
  while (text.length < length)
    text += Math.floor(random() * 0x10000)
      .toString(16)
      .padStart(4, '0');
  return text.slice(0, length);
}

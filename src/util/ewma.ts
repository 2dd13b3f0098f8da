/**
 * Events a second as an exponentially weighted average, without timers: the average decays by the time since
 * it was last touched.
 */

/** The average after an event `sinceMs` after the last one. Start with 0. */
export function ewmaAfterEvent(averagePerMs: number, sinceMs: number, windowMs: number): number {
  return averagePerMs * Math.exp(-Math.max(0, sinceMs) / windowMs) + 1 / windowMs;
}

/**
 * Events a second `sinceMs` after the last event. An average younger than its window has not seen a whole one,
 * and would be too low: dividing by the share it has seen corrects for that.
 * @param ageMs time since counting began
 */
export function ewmaPerSecond(
  averagePerMs: number,
  sinceMs: number,
  ageMs: number,
  windowMs: number,
): number {
  // Within the first second there is nothing yet to divide by.
  const seen = 1 - Math.exp(-Math.max(1000, ageMs) / windowMs);
  return (1000 * averagePerMs * Math.exp(-Math.max(0, sinceMs) / windowMs)) / seen;
}

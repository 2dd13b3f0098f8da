import { useCallback, useEffect, useState } from 'preact/hooks';

/** Counts up every so often, as long as somebody looks; and when the returned function is called. */
export function useTick(intervalMs: number): [tick: number, now: () => void] {
  const [tick, setTick] = useState(0);
  const advance = useCallback(() => setTick((before) => before + 1), []);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) advance();
    }, intervalMs);
    return () => clearInterval(timer);
  }, [intervalMs, advance]);
  return [tick, advance];
}

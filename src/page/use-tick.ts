import { useCallback, useEffect, useState } from 'preact/hooks';

/** Counts up every so often, as long as somebody looks; when they look again; and when the returned function is called. */
export function useTick(intervalMs: number): [tick: number, now: () => void] {
  const [tick, setTick] = useState(0);
  const advance = useCallback(() => setTick((before) => before + 1), []);
  useEffect(() => {
    const look = () => {
      if (!document.hidden) advance();
    };
    const timer = setInterval(look, intervalMs);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [intervalMs, advance]);
  return [tick, advance];
}

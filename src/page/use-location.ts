import { useCallback, useEffect, useState } from 'preact/hooks';
import { formatFragment, type PageLocation, parseFragment } from './location.js';

/** `replace`: for changes that "back" should not undo one by one. */
export type Navigate = (to: PageLocation, how?: { readonly replace?: boolean }) => void;

/** The place that the URL names now, and a way to another. */
export function useLocation(): [PageLocation, Navigate] {
  const [fragment, setFragment] = useState(window.location.hash);
  useEffect(() => {
    const follow = () => setFragment(window.location.hash);
    window.addEventListener('popstate', follow);
    window.addEventListener('hashchange', follow);
    return () => {
      window.removeEventListener('popstate', follow);
      window.removeEventListener('hashchange', follow);
    };
  }, []);
  const navigate = useCallback<Navigate>((to, how = {}) => {
    const next = formatFragment(to);
    if (next === window.location.hash) return;
    if (how.replace) window.history.replaceState(null, '', next);
    else window.history.pushState(null, '', next);
    setFragment(next);
  }, []);
  return [parseFragment(fragment), navigate];
}

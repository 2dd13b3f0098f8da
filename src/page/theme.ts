import { useEffect, useLayoutEffect, useState } from 'preact/hooks';

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'exemplard.theme';

/** What the user chose, remembered in this browser. `auto` follows the system. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(rememberedTheme);
  // Before anything is painted: no flash of the other theme.
  useLayoutEffect(() => {
    const root = document.documentElement;
    if (theme === 'auto') delete root.dataset.theme;
    else root.dataset.theme = theme;
    remember(theme);
    // Canvases do not follow CSS by themselves.
    window.dispatchEvent(new Event(THEME_CHANGED));
  }, [theme]);
  return [theme, setTheme];
}

const THEME_CHANGED = 'exemplard-theme';

/** Whether it is dark now, by choice or by the system. */
export function useIsDark(): boolean {
  const [isDark, setIsDark] = useState(isDarkNow);
  useEffect(() => {
    const system = window.matchMedia('(prefers-color-scheme: dark)');
    const follow = () => setIsDark(isDarkNow());
    follow();
    system.addEventListener('change', follow);
    window.addEventListener(THEME_CHANGED, follow);
    return () => {
      system.removeEventListener('change', follow);
      window.removeEventListener(THEME_CHANGED, follow);
    };
  }, []);
  return isDark;
}

function isDarkNow(): boolean {
  const chosen = document.documentElement.dataset.theme;
  return chosen === undefined ? window.matchMedia('(prefers-color-scheme: dark)').matches : chosen === 'dark';
}

/** Storage may be forbidden; then nothing is remembered. */
function rememberedTheme(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? 'auto';
  } catch {
    return 'auto';
  }
}

function remember(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {}
}

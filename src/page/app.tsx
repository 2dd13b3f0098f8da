import { useEffect } from 'preact/hooks';
import type { PageStatus } from './api/answers.js';
import { useAnswer } from './api/use-answer.js';
import { formatFragment } from './location.js';
import { Notice } from './parts/states.js';
import { THEMES, type Theme, useTheme } from './theme.js';
import { useLocation } from './use-location.js';
import { VIEWS } from './views.js';

/** The shell: navigation, theme, and the view that the URL names. */
export function App() {
  const [location, navigate] = useLocation();
  const status = useAnswer<PageStatus>('status/page');
  const view = VIEWS.find(({ id }) => id === location.view) ?? VIEWS[0]!;
  useEffect(() => {
    document.title = `${view.title} · exemplard`;
  }, [view]);
  const data = status.state === 'ready' ? status.data : undefined;
  return (
    <>
      <button type="button" class="skip-link" onClick={focusMain}>
        Skip to content
      </button>
      <header class="bar">
        <a class="brand" href="#/">
          <img src="./assets/icon.svg" alt="" width="22" height="22" />
          exemplard
        </a>
        <nav aria-label="Views">
          {VIEWS.map(({ id, title }) => (
            <a
              key={id}
              href={formatFragment({ view: id, parameters: new URLSearchParams() })}
              aria-current={id === view.id ? 'page' : undefined}
            >
              {title}
            </a>
          ))}
        </nav>
        <ThemeChoice />
        {data && <span class="version">{data.version}</span>}
      </header>
      <main id="main" tabIndex={-1}>
        {location.view !== '' && location.view !== view.id && (
          <Notice kind="warning">
            There is no view “{location.view}”; this is {view.title}.
          </Notice>
        )}
        <view.component key={view.id} parameters={location.parameters} navigate={navigate} status={data} />
      </main>
    </>
  );
}

/** By script: the fragment is the view's, and a link to `#main` would change it. */
function focusMain(): void {
  document.getElementById('main')?.focus();
}

const THEME_NAMES: Readonly<Record<Theme, string>> = { auto: 'Auto', light: 'Light', dark: 'Dark' };

function ThemeChoice() {
  const [theme, setTheme] = useTheme();
  return (
    <label class="theme-choice">
      <span class="label">Theme</span>
      <select
        aria-label="Theme"
        value={theme}
        onChange={(event) => setTheme(event.currentTarget.value as Theme)}
      >
        {THEMES.map((each) => (
          <option key={each} value={each}>
            {THEME_NAMES[each]}
          </option>
        ))}
      </select>
    </label>
  );
}

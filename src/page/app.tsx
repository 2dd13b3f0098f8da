import { useEffect, useRef } from 'preact/hooks';
import type { PageStatus } from './api/answers.js';
import type { ApiError } from './api/client.js';
import { useAnswer } from './api/use-answer.js';
import { formatFragment } from './location.js';
import { Failure, Loading, Notice } from './parts/states.js';
import { THEMES, type Theme, useTheme } from './theme.js';
import { useLocation } from './use-location.js';
import { useTick } from './use-tick.js';
import { VIEWS } from './views.js';

/** The shell: navigation, theme, and the view that the URL names. */
export function App() {
  const [location, navigate] = useLocation();
  const { status, error, retry } = useStatus();
  const view = VIEWS.find(({ id }) => id === location.view) ?? VIEWS[0]!;
  useEffect(() => {
    document.title = `${view.title} · exemplard`;
  }, [view]);
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
        {status && <span class="version">{status.version}</span>}
      </header>
      <main id="main" tabIndex={-1}>
        {location.view !== '' && location.view !== view.id && (
          <Notice kind="warning">
            There is no view “{location.view}”; this is {view.title}.
          </Notice>
        )}
        {status !== undefined ? (
          <view.component
            key={view.id}
            parameters={location.parameters}
            navigate={navigate}
            status={status}
          />
        ) : error === undefined ? (
          <Loading what="the settings" />
        ) : (
          <Failure error={error} onRetry={retry} />
        )}
      </main>
    </>
  );
}

/** A reload of the configuration changes it. */
const STATUS_MS = 15_000;

interface Status {
  /** The last that is known: a server that is away for a moment has not changed. */
  readonly status: PageStatus | undefined;
  readonly error: ApiError | undefined;
  readonly retry: () => void;
}

function useStatus(): Status {
  const [tick, retry] = useTick(STATUS_MS);
  const asked = useAnswer<PageStatus>('status/page', {}, tick);
  const known = useRef<PageStatus | undefined>(undefined);
  if (asked.state === 'ready') known.current = asked.data;
  return { status: known.current, error: asked.state === 'failed' ? asked.error : undefined, retry };
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

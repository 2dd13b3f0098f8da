import { useMemo } from 'preact/hooks';
import { type Asked, useAnswer } from '../api/use-answer.js';
import { counted, formatCount } from '../format/number.js';
import { formatDateTime, roughDuration } from '../format/time.js';
import { type Figure, Figures } from '../parts/figures.js';
import { Empty, Failure, Loading } from '../parts/states.js';
import { useTick } from '../use-tick.js';
import type { ViewProps } from '../view.js';
import type { Target, TargetsAnswer } from './answer.js';
import { byHealth, isShown, readChoice, SHOWN, type TargetChoice, writeChoice } from './target-choice.js';

const REFRESH_MS = 10_000;
/** Thousands of targets are searched, not scrolled through. */
const MAX_SHOWN = 300;

/** What is scraped, whether that works, and what is wrong with the exemplars of each. */
export function Targets({ parameters, navigate }: ViewProps) {
  const choice = readChoice(parameters);
  const [tick, refresh] = useTick(REFRESH_MS);
  const asked = useAnswer<TargetsAnswer>('targets', {}, tick);
  const targets = asked.state === 'ready' ? asked.data.activeTargets : undefined;
  const sorted = useMemo(() => [...(targets ?? [])].sort(byHealth), [targets]);
  const change = (changes: Partial<TargetChoice>) =>
    navigate({ view: 'targets', parameters: writeChoice({ ...choice, ...changes }) }, { replace: true });
  return (
    <section class="view">
      <h1 class="off-screen">Targets</h1>
      {/* Whatever is answered below: who writes in it goes on writing. */}
      <Tools choice={choice} targets={targets && sorted} onChange={change} />
      <Found asked={asked} targets={sorted} choice={choice} onRetry={refresh} />
    </section>
  );
}

interface FoundProps {
  readonly asked: Asked<TargetsAnswer>;
  readonly targets: readonly Target[];
  readonly choice: TargetChoice;
  readonly onRetry: () => void;
}

function Found({ asked, targets, choice, onRetry }: FoundProps) {
  if (asked.state === 'loading') return <Loading what="targets" />;
  if (asked.state === 'failed') return <Failure error={asked.error} onRetry={onRetry} />;
  const { droppedTargetCounts: dropped } = asked.data;
  if (targets.length === 0) return <NoTargets dropped={dropped} />;
  return (
    <>
      <Counts targets={targets} dropped={dropped} />
      <Cards targets={targets.filter((target) => isShown(target, choice))} />
    </>
  );
}

interface ToolsProps {
  readonly choice: TargetChoice;
  /** Undefined: not known. */
  readonly targets: readonly Target[] | undefined;
  readonly onChange: (changes: Partial<TargetChoice>) => void;
}

function Tools({ choice, targets, onChange }: ToolsProps) {
  const countOf = (shown: TargetChoice['shown']) =>
    targets?.filter((target) => isShown(target, { ...choice, shown })).length;
  return (
    <div class="tools">
      <fieldset class="choice" aria-label="Which targets">
        {SHOWN.map(({ id, title }) => {
          const count = countOf(id);
          return (
            <button
              key={id}
              type="button"
              aria-pressed={choice.shown === id}
              onClick={() => onChange({ shown: id })}
            >
              {count === undefined ? title : `${title} (${formatCount(count)})`}
            </button>
          );
        })}
      </fieldset>
      <label class="field">
        <span class="label">Search</span>
        <input
          type="text"
          value={choice.search}
          placeholder="job, instance, URL, error"
          spellcheck={false}
          onInput={(event) => onChange({ search: event.currentTarget.value })}
        />
      </label>
    </div>
  );
}

function Cards({ targets }: { targets: readonly Target[] }) {
  if (targets.length === 0) {
    return (
      <Empty title="None of these">
        <p>No target is like that. Choose others above, or search for something else.</p>
      </Empty>
    );
  }
  return (
    <>
      <ul class="cards">
        {targets.slice(0, MAX_SHOWN).map((target) => (
          <TargetCard
            key={`${target.scrapePool} ${target.scrapeUrl} ${JSON.stringify(target.labels)}`}
            target={target}
          />
        ))}
      </ul>
      {targets.length > MAX_SHOWN && (
        <p class="hint">{counted(targets.length - MAX_SHOWN, 'more target')}: search to find them.</p>
      )}
    </>
  );
}

function NoTargets({ dropped }: { dropped: TargetsAnswer['droppedTargetCounts'] }) {
  const count = Object.values(dropped).reduce((sum, each) => sum + each, 0);
  return (
    <Empty title="No targets">
      {count > 0 ? (
        <p>
          {counted(count, 'target')} were found, and dropped by <code>relabel_configs</code>. Check what these
          keep.
        </p>
      ) : (
        <p>
          The configuration has no <code>scrape_configs</code>, or their discovery finds nothing.{' '}
          <code>exemplard check config FILE</code> says what it makes of the file; the log says what discovery
          could not reach.
        </p>
      )}
    </Empty>
  );
}

function Counts({
  targets,
  dropped,
}: {
  targets: readonly Target[];
  dropped: TargetsAnswer['droppedTargetCounts'];
}) {
  const up = targets.filter(({ health }) => health === 'up').length;
  const droppedCount = Object.values(dropped).reduce((sum, each) => sum + each, 0);
  const figures: readonly Figure[] = [
    ['Targets', formatCount(targets.length)],
    ['Up', formatCount(up)],
    ['Jobs', formatCount(new Set(targets.map(({ scrapePool }) => scrapePool)).size)],
    ['Dropped by relabelling', formatCount(droppedCount)],
  ];
  return <Figures figures={figures} />;
}

function TargetCard({ target }: { target: Target }) {
  const { health, labels, scrapePool, scrapeUrl, lastError, exemplarFindings } = target;
  return (
    <li class={`card ${health}`}>
      <div class="head">
        <span class={`health ${health}`}>{HEALTH[health]}</span>
        <strong>{labels.instance ?? scrapeUrl}</strong>
        <span class="badge">{scrapePool}</span>
        <span class="hint">{lastScrapeText(target)}</span>
      </div>
      <code class="url">{scrapeUrl}</code>
      {lastError !== '' && <p class="error">{lastError}</p>}
      {exemplarFindings.map(({ code, severity, message, next }) => (
        <div key={code} class={`finding ${severity}`}>
          <p>
            <span class="badge">{severity}</span> {message}
          </p>
          {next !== '' && <p class="next">→ {next}</p>}
        </div>
      ))}
      <details>
        <summary>Labels</summary>
        <dl class="pairs">
          {Object.entries(labels).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </details>
    </li>
  );
}

/** Words beside colours, for those who do not see them. */
const HEALTH = { up: '● up', down: '▲ down', unknown: '○ not yet scraped' } as const;

function lastScrapeText({ health, lastScrape, lastScrapeDuration, scrapeInterval }: Target): string {
  const timeMs = Date.parse(lastScrape);
  if (health === 'unknown' || Number.isNaN(timeMs)) return `every ${scrapeInterval}`;
  const ago = roughDuration(Math.round((Date.now() - timeMs) / 1000));
  const took = `${Math.round(lastScrapeDuration * 1000)} ms`;
  return `scraped ${ago} ago (${formatDateTime(timeMs)}), took ${took}, every ${scrapeInterval}`;
}

import type { RetentionAnswer } from '../api/answers.js';
import { useAnswer } from '../api/use-answer.js';
import { counted, formatCount } from '../format/number.js';
import { roughDuration } from '../format/time.js';
import { Empty, Failure, Loading } from '../parts/states.js';
import { useTick } from '../use-tick.js';
import { metricText } from './promql.js';

const MAX_METRICS = 20;
const REFRESH_MS = 15_000;

export interface WelcomeProps {
  readonly onExplore: (query: string) => void;
}

/** Before the first query: what there is to explore, or why there is nothing. */
export function Welcome({ onExplore }: WelcomeProps) {
  const [tick, lookAgain] = useTick(REFRESH_MS);
  const asked = useAnswer<RetentionAnswer>(
    'retention',
    { by: 'metric', sort: 'exemplars', limit: MAX_METRICS },
    tick,
  );
  if (asked.state === 'loading') return <Loading what="metrics" />;
  if (asked.state === 'failed') return <Failure error={asked.error} onRetry={lookAgain} />;
  const metrics = asked.data.groups.filter(({ exemplars }) => exemplars > 0);
  if (metrics.length === 0) return <NoExemplars onRetry={lookAgain} />;
  const nowMs = Date.now();
  const most = metrics[0]!.exemplars;
  return (
    <section class="welcome">
      <h2>Metrics with the most exemplars</h2>
      <ul>
        {metrics.map(({ labels, series, exemplars, newest }) => {
          const name = labels.__name__ ?? '';
          return (
            <li key={name}>
              <button type="button" onClick={() => onExplore(metricText(name))}>
                <span class="share" aria-hidden="true" style={{ width: `${(100 * exemplars) / most}%` }} />
                <span class="name">{name}</span>
                <span class="figures">
                  {counted(exemplars, 'exemplar')} · {formatCount(series)} series
                  {newest !== null && ` · newest ${roughDuration(nowMs / 1000 - newest)} ago`}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
      <p class="hint">
        {metrics.length === MAX_METRICS
          ? 'There may be more: type a part of a name above.'
          : 'Choose one, or write any PromQL above: every selector in it is looked up.'}
      </p>
    </section>
  );
}

function NoExemplars({ onRetry }: { onRetry: () => void }) {
  return (
    <Empty title="No exemplars yet">
      <ul>
        <li>
          Just started? They appear after the first scrape of each target. <a href="#/targets">Targets</a>{' '}
          shows whether scrapes succeed.
        </li>
        <li>
          Targets have to expose exemplars in OpenMetrics or protobuf. Ask what one answers, and what to
          change: <code>exemplard check metrics URL</code>
        </li>
      </ul>
      <button type="button" onClick={onRetry}>
        Look again
      </button>
    </Empty>
  );
}

import type { Target } from './answer.js';

export const SHOWN = [
  { id: 'all', title: 'All' },
  { id: 'down', title: 'Down' },
  { id: 'findings', title: 'With findings' },
] as const;

export interface TargetChoice {
  readonly shown: (typeof SHOWN)[number]['id'];
  readonly search: string;
}

export function readChoice(parameters: URLSearchParams): TargetChoice {
  const shown = SHOWN.find(({ id }) => id === parameters.get('show'))?.id ?? 'all';
  return { shown, search: parameters.get('search') ?? '' };
}

export function writeChoice({ shown, search }: TargetChoice): URLSearchParams {
  const parameters = new URLSearchParams();
  if (shown !== 'all') parameters.set('show', shown);
  if (search !== '') parameters.set('search', search);
  return parameters;
}

/** Every word of the search has to be somewhere. */
export function isShown(target: Target, { shown, search }: TargetChoice): boolean {
  if (shown === 'down' && target.health !== 'down') return false;
  if (shown === 'findings' && !target.exemplarFindings.some(({ severity }) => severity !== 'info'))
    return false;
  const { scrapePool, scrapeUrl, lastError, labels } = target;
  const text = [scrapePool, scrapeUrl, lastError, ...Object.values(labels)].join('\n').toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

const RANKS: Readonly<Record<Target['health'], number>> = { down: 0, unknown: 2, up: 2 };

/** What needs somebody comes first. */
export function byHealth(a: Target, b: Target): number {
  return rankOf(a) - rankOf(b);
}

function rankOf({ health, exemplarFindings }: Target): number {
  if (health === 'down') return RANKS.down;
  return exemplarFindings.some(({ severity }) => severity === 'error') ? 1 : RANKS[health];
}

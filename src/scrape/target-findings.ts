import { failureFinding } from '../doctor/failures.js';
import type { Finding } from '../doctor/finding.js';
import type { CheckUp } from './check-ups.js';
import { ScrapeFailure } from './failure.js';

/** What the doctor says of one target, from scrape to scrape: never of a scrape that went otherwise than the last. */
export class TargetFindings {
  /** Not always of the last body: examinations are rationed. */
  #checkUp: CheckUp | undefined;
  #current: readonly Finding[] = [];

  get current(): readonly Finding[] {
    return this.#current;
  }

  get checkUp(): CheckUp | undefined {
    return this.#checkUp;
  }

  /** The scrape ended without a body that could be examined. What an earlier one showed counts no more. */
  fail(finding: Finding): void {
    this.#checkUp = undefined;
    this.#current = [finding];
  }

  /**
   * A body has come.
   * @param checkUp of this body, or an earlier one
   * @param refusal why the scrape failed all the same
   */
  take(checkUp: CheckUp | undefined, refusal: Finding | undefined): void {
    this.#checkUp = checkUp;
    const isOfSuch = checkUp?.reasons.isUp === (refusal === undefined);
    const found = isOfSuch ? checkUp.findings : [];
    const isExplained = refusal === undefined || found.some(({ severity }) => severity === 'error');
    this.#current = isExplained ? found : [refusal, ...found];
  }
}

/** What made a scrape fail, in words of the doctor where it has any. */
export function findingOfFailure(failure: Error): Finding {
  if (failure instanceof ScrapeFailure && failure.details !== undefined)
    return failureFinding(failure.details, 'job');
  return {
    code: 'scrape_failed',
    severity: 'error',
    message: `The scrape fails: ${failure.message}.`,
    next: 'exemplard check metrics with the URL of the target says more, unless a limit of the job is the cause.',
  };
}

import type { Asker, Failure } from './failure-cause.js';

export interface Redirect {
  readonly status: number;
  readonly location: string | undefined;
  readonly followsRedirects: boolean;
}

/** Of the rest of 3xx, none says where to go in a way that clients follow. */
const FOLLOWED = [301, 302, 303, 307, 308];

/** Why the last answer, a redirect, was not followed: one clause. */
export function redirectProblem({ status, location, followsRedirects }: Redirect): string {
  if (!FOLLOWED.includes(status)) return 'which is no redirect that can be followed';
  if (location === undefined) return 'a redirect without Location, which leads nowhere';
  const base = 'http://host/';
  if (!URL.canParse(location, base)) return 'a redirect whose Location is no valid URL';
  const { protocol } = new URL(location, base);
  if (!/^https?:$/.test(protocol)) return `a redirect to ${protocol}, which is neither http: nor https:`;
  return followsRedirects ? 'a redirect after ten others' : 'a redirect, and follow_redirects is false';
}

export function redirectFailure(redirect: Redirect, asker: Asker): Failure {
  return {
    code: 'redirect',
    message: `HTTP status ${redirect.status} instead of metrics: ${redirectProblem(redirect)}.`,
    next: nextOf(redirect, asker),
  };
}

function nextOf({ status, location, followsRedirects }: Redirect, asker: Asker): string {
  const what = asker === 'job' ? 'Let the job ask' : 'Ask';
  const direct = `${what} for the metrics at their own place, and find out what redirects (a login, a proxy).`;
  if (!FOLLOWED.includes(status) || location === undefined) return direct;
  const place = placeOf(location);
  if (place === undefined)
    return `Mend the Location that the service, or a proxy before it, gives. ${direct}`;
  return followsRedirects
    ? `The redirects go round in circles, now to ${place}. ${direct}`
    : `${what} for ${place}, or set follow_redirects: true.`;
}

/** Without what may be a secret. @returns undefined for a Location that is not followed */
function placeOf(location: string): string | undefined {
  const isAbsolute = URL.canParse(location);
  const base = 'http://host/';
  if (!isAbsolute && !URL.canParse(location, base)) return undefined;
  const { protocol, host, pathname } = new URL(location, base);
  if (!/^https?:$/.test(protocol)) return undefined;
  return `${isAbsolute ? `${protocol}//${host}` : ''}${pathname}`.slice(0, 200);
}

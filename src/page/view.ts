import type { ComponentType } from 'preact';
import type { PageStatus } from './api/answers.js';
import type { Navigate } from './use-location.js';

export interface ViewProps {
  /** Of the fragment: the view's state, as far as it can be shared. */
  readonly parameters: URLSearchParams;
  readonly navigate: Navigate;
  /** What the server says about itself. */
  readonly status: PageStatus;
}

export interface View {
  /** In the URL: `#/id`. */
  readonly id: string;
  readonly title: string;
  readonly component: ComponentType<ViewProps>;
}

import type { ComponentChildren } from 'preact';

export type Figure = readonly [title: string, figure: ComponentChildren];

/** Figures side by side, each under what it is. */
export function Figures({ figures }: { figures: readonly Figure[] }) {
  return (
    <dl class="figures">
      {figures.map(([title, figure]) => (
        <div key={title}>
          <dt>{title}</dt>
          <dd>{figure}</dd>
        </div>
      ))}
    </dl>
  );
}

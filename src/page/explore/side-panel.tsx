import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export interface SidePanelProps {
  readonly title: string;
  /** Another thing is shown: the panel takes the focus again. */
  readonly about: unknown;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** Beside the chart; below it where the screen is narrow. Escape closes it, and the focus goes back. */
export function SidePanel({ title, about, onClose, children }: SidePanelProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const opener = useRef<Element | null>(null);
  useEffect(() => {
    opener.current = document.activeElement;
    return () => {
      if (opener.current instanceof HTMLElement) opener.current.focus({ preventScroll: true });
    };
  }, []);
  useEffect(() => {
    heading.current?.focus();
  }, [about]);
  return (
    <aside
      class="panel"
      aria-label={title}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose();
      }}
    >
      <header>
        <h2 ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <button type="button" class="small" aria-label="Close details" onClick={onClose}>
          ✕
        </button>
      </header>
      {children}
    </aside>
  );
}

import { useEffect, useState } from 'preact/hooks';

const OUTCOMES = { copied: 'Copied', refused: 'Not allowed' } as const;

/** @param what is copied, for those who hear the page */
export function CopyButton({ text, what, label }: { text: string; what: string; label?: string }) {
  const [outcome, setOutcome] = useState<'copied' | 'refused' | undefined>();
  useEffect(() => {
    if (outcome === undefined) return undefined;
    const timer = setTimeout(() => setOutcome(undefined), 1500);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = async () => setOutcome((await copyText(text)) ? 'copied' : 'refused');
  const shown = outcome === undefined ? (label ?? 'Copy') : OUTCOMES[outcome];
  return (
    <button type="button" class="small" aria-label={`${shown} ${what}`} onClick={copy}>
      {shown}
    </button>
  );
}

/** Over plain HTTP browsers have no clipboard to write to; the old way still works there. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'off-screen';
    document.body.append(area);
    const focused = document.activeElement;
    area.select();
    const isCopied = document.execCommand('copy');
    area.remove();
    if (focused instanceof HTMLElement) focused.focus();
    return isCopied;
  }
}

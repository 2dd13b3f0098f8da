import { useEffect, useRef, useState } from 'preact/hooks';
import { applyCompletion } from './completion.js';
import type { Suggestion } from './suggest.js';
import { useCompletion } from './use-completion.js';

export interface QueryBoxProps {
  /** That of the view. */
  readonly query: string;
  readonly onRun: (query: string) => void;
  /** What the server said about it. */
  readonly error: string | undefined;
}

const LIST_ID = 'query-suggestions';
const ERROR_ID = 'query-error';
const optionId = (index: number) => `query-suggestion-${index}`;

/** PromQL in one line, with completion: a combobox as ARIA describes it. */
export function QueryBox({ query, onRun, error }: QueryBoxProps) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(query);
  const [cursor, setCursor] = useState(query.length);
  const [isOpen, setIsOpen] = useState(false);
  /** Its value: it may stand elsewhere in the next list. */
  const [chosen, setChosen] = useState<string | undefined>();
  const completion = useCompletion(text, cursor, isOpen);
  const suggestions = completion?.suggestions ?? [];
  const found = suggestions.findIndex(({ value }) => value === chosen);
  const active = found === -1 ? undefined : found;
  const close = () => {
    setIsOpen(false);
    setChosen(undefined);
  };
  useEffect(() => {
    setText(query);
    setCursor(query.length);
    close();
  }, [query]);
  useEffect(() => {
    // The input's own `select` is about ranges only, and arrow keys and clicks move the cursor, too.
    const look = () => {
      if (document.activeElement === input.current) follow(input.current!);
    };
    document.addEventListener('selectionchange', look);
    return () => document.removeEventListener('selectionchange', look);
  }, []);
  useEffect(() => {
    if (active !== undefined) document.getElementById(optionId(active))?.scrollIntoView({ block: 'nearest' });
  }, [active]);

  const follow = (element: HTMLInputElement) => {
    setText(element.value);
    setCursor(element.selectionStart ?? element.value.length);
  };
  const take = ({ value }: Suggestion) => {
    const next = applyCompletion(text, completion!.context, value);
    setText(next.text);
    setCursor(next.cursor);
    close();
    const element = input.current!;
    element.value = next.text;
    element.focus();
    element.setSelectionRange(next.cursor, next.cursor);
  };
  const run = () => {
    close();
    onRun(text.trim());
  };
  const step = (by: number) => {
    setIsOpen(true);
    const count = suggestions.length;
    if (count > 0) setChosen(suggestions[((active ?? (by > 0 ? -1 : 0)) + by + count) % count]!.value);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const suggestion = suggestions[found];
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') step(event.key === 'ArrowDown' ? 1 : -1);
    else if (event.key === 'Escape' && isOpen) close();
    else if (event.key === 'Enter' && suggestion !== undefined) take(suggestion);
    // What was chosen is not in a better list: then nothing is, and nothing half typed is run.
    else if (event.key === 'Enter') chosen === undefined ? run() : setChosen(undefined);
    else if (event.key === 'Tab' && suggestion !== undefined && !event.shiftKey) take(suggestion);
    else if (event.key === ' ' && event.ctrlKey) setIsOpen(true);
    else return;
    event.preventDefault();
  };
  const isListed = isOpen && suggestions.length > 0;
  return (
    <div class="query-box">
      <label class="off-screen" htmlFor="query">
        PromQL expression
      </label>
      <div class="query-line">
        <input
          id="query"
          ref={input}
          type="text"
          role="combobox"
          aria-expanded={isListed}
          aria-controls={LIST_ID}
          aria-autocomplete="list"
          aria-activedescendant={isListed && active !== undefined ? optionId(active) : undefined}
          aria-invalid={error !== undefined}
          aria-describedby={error === undefined ? undefined : ERROR_ID}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          placeholder="PromQL, as http_request_duration_seconds_bucket{job=&quot;shop&quot;}"
          value={text}
          onInput={(event) => {
            follow(event.currentTarget);
            setChosen(undefined);
            setIsOpen(true);
          }}
          onKeyDown={onKeyDown}
          onBlur={close}
        />
        <button type="button" class="primary" onClick={run}>
          Run
        </button>
      </div>
      <Suggestions
        suggestions={isListed ? suggestions : []}
        word={completion?.context.word ?? ''}
        active={active}
        onTake={take}
      />
      {isOpen && completion?.problem !== undefined && <p class="hint">No completion: {completion.problem}</p>}
      {error !== undefined && (
        <p id={ERROR_ID} class="query-error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

interface SuggestionsProps {
  readonly suggestions: readonly Suggestion[];
  readonly word: string;
  readonly active: number | undefined;
  readonly onTake: (suggestion: Suggestion) => void;
}

function Suggestions({ suggestions, word, active, onTake }: SuggestionsProps) {
  return (
    <div
      id={LIST_ID}
      class="suggestions"
      role="listbox"
      aria-label="Completions"
      hidden={suggestions.length === 0}
    >
      {suggestions.map((suggestion, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: keys are the input's, which keeps the focus
        <div
          key={suggestion.value}
          id={optionId(index)}
          role="option"
          tabIndex={-1}
          aria-selected={index === active}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onTake(suggestion)}
        >
          <span class="value">
            <Highlighted text={suggestion.value} word={word} />
          </span>
          {suggestion.type !== undefined && <span class="type">{suggestion.type}</span>}
          {suggestion.help !== undefined && <span class="help">{suggestion.help}</span>}
        </div>
      ))}
    </div>
  );
}

function Highlighted({ text, word }: { text: string; word: string }) {
  const at = word === '' ? -1 : text.toLowerCase().indexOf(word.toLowerCase());
  if (at === -1) return <>{text}</>;
  return (
    <>
      {text.slice(0, at)}
      <b>{text.slice(at, at + word.length)}</b>
      {text.slice(at + word.length)}
    </>
  );
}

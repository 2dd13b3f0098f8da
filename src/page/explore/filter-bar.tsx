import { useState } from 'preact/hooks';
import { isSameFilter, type LabelFilter } from './label-filter.js';

export interface FilterBarProps {
  readonly filters: readonly LabelFilter[];
  /** Of all points. */
  readonly labels: readonly { readonly name: string; readonly isOfSeries: boolean }[];
  readonly onChange: (filters: readonly LabelFilter[]) => void;
  /** Makes a filter a matcher of the query. */
  readonly onIntoQuery: (filter: LabelFilter) => void;
}

/** Filters by label, each with a way to take it away; and a form for another. */
export function FilterBar({ filters, labels, onChange, onIntoQuery }: FilterBarProps) {
  const [isAdding, setIsAdding] = useState(false);
  const without = (filter: LabelFilter) => filters.filter((each) => !isSameFilter(each, filter));
  const isOfSeries = (name: string) => labels.some((label) => label.name === name && label.isOfSeries);
  return (
    <div class="filters">
      {filters.length > 0 && (
        <ul aria-label="Label filters">
          {filters.map((filter) => {
            const text = filterText(filter);
            return (
              <li key={text} class="filter">
                <span class="text" title={text}>
                  {text}
                </span>
                {isOfSeries(filter.name) && (
                  <button
                    type="button"
                    title="Write it into the query, so that the server applies it"
                    aria-label={`Write ${text} into the query`}
                    onClick={() => onIntoQuery(filter)}
                  >
                    →&thinsp;query
                  </button>
                )}
                <button
                  type="button"
                  aria-label={`Remove filter ${text}`}
                  onClick={() => onChange(without(filter))}
                >
                  ✕
                </button>
              </li>
            );
          })}
        </ul>
      )}
      {isAdding ? (
        <NewFilter
          names={labels.map(({ name }) => name)}
          onCancel={() => setIsAdding(false)}
          onAdd={(filter) => {
            setIsAdding(false);
            onChange([...without(filter), filter]);
          }}
        />
      ) : (
        <button type="button" class="small" disabled={labels.length === 0} onClick={() => setIsAdding(true)}>
          + Label filter
        </button>
      )}
    </div>
  );
}

export function filterText({ name, operator, value }: LabelFilter): string {
  return `${name}${operator}${value === '' ? '""' : value}`;
}

interface NewFilterProps {
  readonly names: readonly string[];
  readonly onAdd: (filter: LabelFilter) => void;
  readonly onCancel: () => void;
}

function NewFilter({ names, onAdd, onCancel }: NewFilterProps) {
  const [name, setName] = useState(names[0] ?? '');
  const [operator, setOperator] = useState<LabelFilter['operator']>('=');
  const [value, setValue] = useState('');
  return (
    <form
      class="new-filter"
      onSubmit={(event) => {
        event.preventDefault();
        onAdd({ name, operator, value });
      }}
      onKeyDown={(event) => event.key === 'Escape' && onCancel()}
    >
      <select aria-label="Label" value={name} onChange={(event) => setName(event.currentTarget.value)}>
        {names.map((each) => (
          <option key={each} value={each}>
            {each}
          </option>
        ))}
      </select>
      <select
        aria-label="Operator"
        value={operator}
        onChange={(event) => setOperator(event.currentTarget.value === '=' ? '=' : '!=')}
      >
        <option value="=">=</option>
        <option value="!=">!=</option>
      </select>
      <input
        type="text"
        aria-label="Value"
        placeholder="value"
        size={14}
        value={value}
        onInput={(event) => setValue(event.currentTarget.value)}
      />
      <button type="submit">Add</button>
      <button type="button" class="small" onClick={onCancel}>
        Cancel
      </button>
    </form>
  );
}

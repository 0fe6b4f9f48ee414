// filters.tsx - the filters of a list. Each is a parameter of the URL, and by the same name one of the API.
import { useEffect, useState } from 'preact/hooks';
import { filter, useLocation } from '../router';

const RESULTS = [
  ['', 'All'],
  ['fail', 'Failed'],
  ['pass', 'Passed'],
] as const;

export function ResultFilter() {
  const { query } = useLocation();
  const chosen = query.get('result') ?? '';
  return (
    <div class="switch" role="group" aria-label="DMARC result">
      {RESULTS.map(([value, label]) => (
        <button key={value} type="button" aria-pressed={chosen === value} onClick={() => filter({ result: value })}>
          {label}
        </button>
      ))}
    </div>
  );
}

// A filter by text: taken over on Enter or when the field is left.
export function TextFilter({ name, label, hint }: { name: string; label: string; hint: string }) {
  const { query } = useLocation();
  const present = query.get(name) ?? '';
  const [value, setValue] = useState(present);
  useEffect(() => setValue(present), [present]);
  const take = () => {
    if (value.trim() !== present) filter({ [name]: value.trim() });
  };
  return (
    <form
      class="filter"
      onSubmit={(event) => {
        event.preventDefault();
        take();
      }}
    >
      <label>
        <span>{label}</span>
        <input
          type="search"
          value={value}
          placeholder={hint}
          spellcheck={false}
          autocapitalize="off"
          onInput={(event) => setValue(event.currentTarget.value)}
          onBlur={take}
        />
      </label>
      {present && (
        <button type="button" class="quiet" aria-label={`Clear ${label}`} onClick={() => filter({ [name]: '' })}>
          clear
        </button>
      )}
    </form>
  );
}

// labels.tsx - one label for many sources at once: those that are selected in a list, for editors.
import { useState } from 'preact/hooks';
import { put } from '../api/ask';
import type { LabelsSet, Problem } from '../api/types';
import { LABELS } from '../classes';
import { plural } from '../format';
import { labelBody, NOTE_MAX, notSaved } from './label';

const MOST = 100; // sources in one request, as the API has it

// A box by which a source is selected; name: what the list calls it.
export function Pick({ source, name, picked, pick }: { source: string; name: string; picked: readonly string[]; pick: (sources: string[]) => void }) {
  const on = picked.includes(source);
  return (
    <label class="pickable">
      <input type="checkbox" aria-label={`Select ${name}`} checked={on} disabled={!on && picked.length >= MOST} onChange={() => pick(on ? picked.filter((one) => one !== source) : [...picked, source])} />
    </label>
  );
}

// What is done with those that are selected.
export function LabelMany({ picked, pick }: { picked: readonly string[]; pick: (sources: string[]) => void }) {
  const [label, setLabel] = useState('mine');
  const [note, setNote] = useState('');
  const [said, setSaid] = useState('');
  if (picked.length === 0) return <p class="foot" role="status">{said}</p>;
  const save = (event: Event) => {
    event.preventDefault();
    put<LabelsSet>('labels', labelBody(label, note), { source: [...picked] }).then(
      ({ items }) => {
        setSaid(`Saved the label of ${plural(items.length, 'source')}.`);
        pick([]);
      },
      (problem: Problem) => setSaid(notSaved(problem)),
    );
  };
  return (
    <form class="labeller many" aria-label="Label of the selected sources" onSubmit={save}>
      <b>{plural(picked.length, 'source')} selected</b>
      <label>
        Label{' '}
        <select value={label} onChange={(event) => setLabel(event.currentTarget.value)}>
          {Object.entries(LABELS).map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <label class="note">
        Note <input value={note} maxLength={NOTE_MAX} onInput={(event) => setNote(event.currentTarget.value)} />
      </label>
      <button type="submit">Set label</button>
      <button type="button" class="quiet" onClick={() => pick([])}>
        Select none
      </button>
      <span role="status">{said}</span>
    </form>
  );
}

// label.tsx - the label of a source, which editors set and everybody sees, and its log.
import { useEffect, useState } from 'preact/hooks';
import { put, useMe } from '../api/ask';
import type { LabelSet, Problem, Source } from '../api/types';
import { LABELS } from '../classes';
import { moment } from '../format';
import { Copyable } from './states';
import { Text } from './text';

const CHOICES = Object.entries(LABELS);
export const NOTE_MAX = 1000; // characters, as the API has it

// What a form of labels sends, and says if that failed.
export const labelBody = (label: string, note: string) => ({ label: label === 'none' ? null : label, note: note.trim() || null });
export const notSaved = ({ title, detail }: Problem) => `Not saved. ${title}: ${detail}`;

export const labelWords = (label: LabelSet['label']) => LABELS[label ?? 'none'];

function Editor({ source, path }: { source: Source; path: string }) {
  const present = { label: source.label ?? 'none', note: source.note ?? '' };
  const [chosen, setChosen] = useState<{ label: string; note: string }>(present);
  const [said, setSaid] = useState('');
  useEffect(() => setChosen(present), [present.label, present.note]);
  const { label, note } = chosen;
  const save = (event: Event) => {
    event.preventDefault();
    put<LabelSet>(`${path}/label`, labelBody(label, note)).then(
      () => setSaid('Saved.'),
      (problem: Problem) => setSaid(notSaved(problem)),
    );
  };
  return (
    <form class="labeller" onSubmit={save}>
      <fieldset>
        <legend>Label</legend>
        {CHOICES.map(([value, words]) => (
          <label key={value}>
            <input type="radio" name="label" checked={label === value} onChange={() => setChosen({ label: value, note })} /> {words}
          </label>
        ))}
      </fieldset>
      <label class="note">
        Note
        <input value={note} maxLength={NOTE_MAX} onInput={(event) => setChosen({ label, note: event.currentTarget.value })} />
      </label>
      <button type="submit">Save</button>
      <span role="status">{said}</span>
    </form>
  );
}

// The label for those who cannot change it here, and how it is changed. Only keys that a shell takes as they are can have one.
function Told({ source }: { source: Source }) {
  return (
    <>
      <p>
        <b>{labelWords(source.label)}</b> {source.note && <Text value={source.note} max={200} expand />}
      </p>
      {/^[a-z]+:[\w.:-]+$/i.test(source.key ?? '') && <Copyable text={`ruad label ${source.key} mine`} />}
    </>
  );
}

function Log({ log }: { log: LabelSet[] }) {
  if (log.length === 0) return null;
  return (
    <details class="notes">
      <summary>Who labelled it</summary>
      <ul>
        {log.map((entry) => (
          <li key={entry.set_at}>
            {entry.set_at && moment(entry.set_at)}: <b>{labelWords(entry.label)}</b>, by <Text value={entry.set_by} max={60} /> ({entry.set_via}){' '}
            {entry.note && <Text value={entry.note} expand />}
          </li>
        ))}
      </ul>
    </details>
  );
}

// path: of the source in the API.
export function Labelling({ source, path }: { source: Source; path: string }) {
  return (
    <>
      {useMe()?.roles.includes('editor') ? <Editor source={source} path={path} /> : <Told source={source} />}
      <Log log={source.label_log} />
    </>
  );
}

// filters.tsx - the filters of a list. Each is a parameter of the URL, and by the same name one of the API.
import { useEffect, useState } from 'preact/hooks';
import { CLASSES, classWords, keyWords, KINDS, LABELS } from '../classes';
import { clipped, visible } from '../format';
import { type FilterName, filter, useLocation } from '../router';
import { Icon } from './marks';

type Choices = readonly (readonly [value: string, label: string])[];

const ALIGNED: Choices = [['pass', 'aligned'], ['fail', 'not aligned']];
const OVERRIDES = ['any', 'none', 'forwarded', 'mailing_list', 'trusted_forwarder', 'local_policy', 'sampled_out', 'policy_test_mode', 'other'];

const ACTIONS = ['login', 'login_failed', 'logout', 'export', 'upload', 'label', 'exclude', 'include', 'prune', 'dump', 'reprocess', 'token_add', 'token_remove', 'user_add', 'user_set', 'user_remove', 'auditor_add', 'auditor_remove'];

// Label and choices of a filter; without choices, it is text that looks like the hint.
const WORDS: Record<FilterName, { label: string; choices?: Choices; hint?: string }> = {
  result: { label: 'DMARC', choices: [['fail', 'Failed'], ['pass', 'Passed']] },
  class: { label: 'Class', choices: CLASSES.map(({ name, label }) => [name, label] as const) },
  dkim: { label: 'DKIM', choices: ALIGNED },
  spf: { label: 'SPF', choices: ALIGNED },
  disposition: { label: 'Disposition', choices: ['none', 'quarantine', 'reject', 'pass', 'unknown'].map((one) => [one, one] as const) },
  override: { label: 'Override', choices: OVERRIDES.map((one) => [one, one.replace('_', ' ')] as const) },
  label: { label: 'Label', choices: Object.entries(LABELS) },
  source: { label: 'Source', hint: 'service:Google' },
  ip: { label: 'IP or network', hint: '192.0.2.0/24' },
  asn: { label: 'AS number', hint: '64500' },
  country: { label: 'Country', hint: 'NL' },
  rdns: { label: 'Host name', hint: 'mail.example.net' },
  auth_domain: { label: 'Authenticated as', hint: 'example.net' },
  header_from: { label: 'From', hint: 'news.example.com' },
  reporter: { label: 'Reporter', hint: 'google.com' },
  q: { label: 'Text', hint: 'any name or selector' },
  others: { label: "Others' domains", choices: [['only', 'only these'], ['include', 'with yours']] },
  report_id: { label: 'Report ID', hint: 'the whole of it' },
  kind: { label: 'Kind', choices: Object.entries(KINDS) },
  code: { label: 'Reason', hint: 'archive' },
  action: { label: 'Action', choices: ACTIONS.map((one) => [one, one.replaceAll('_', ' ')] as const) },
  user: { label: 'User', hint: 'ann' },
};

// A few choices side by side.
export function Switch({ name, label, choices, present }: { name: string; label: string; choices: Choices; present?: string }) {
  const { query } = useLocation();
  const chosen = present ?? query.get(name) ?? '';
  return (
    <div class="switch" role="group" aria-label={label}>
      {choices.map(([value, words]) => (
        <button key={value} type="button" aria-pressed={chosen === value} onClick={() => filter({ [name]: value })}>
          {words}
        </button>
      ))}
    </div>
  );
}

// A filter by text: taken over on Enter or when the field is left.
function TextFilter({ name }: { name: FilterName }) {
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
        <span>{WORDS[name].label}</span>
        <input
          type="search"
          value={value}
          placeholder={WORDS[name].hint}
          spellcheck={false}
          autocapitalize="off"
          onInput={(event) => setValue(event.currentTarget.value)}
          onBlur={take}
        />
      </label>
    </form>
  );
}

function ChoiceFilter({ name }: { name: FilterName }) {
  const { query } = useLocation();
  const { label, choices } = WORDS[name];
  return (
    <div class="filter">
      <label>
        <span>{label}</span>
        <select value={query.get(name) ?? ''} onChange={(event) => filter({ [name]: event.currentTarget.value })}>
          <option value="">any</option>
          {choices!.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

const Field = ({ name }: { name: FilterName }) =>
  name === 'result' ? <Switch name={name} label="DMARC result" choices={[['', 'All'], ...WORDS.result.choices!]} /> : WORDS[name].choices ? <ChoiceFilter name={name} /> : <TextFilter name={name} />;

const valueWords = (name: FilterName, value: string) =>
  name === 'class'
    ? classWords(value).label
    : name === 'source'
      ? (keyWords(value) ?? 'no address')
      : (WORDS[name].choices?.find(([one]) => one === value)?.[1] ?? value);

// The filters in effect, each with a way to clear it.
function Chips({ names }: { names: readonly FilterName[] }) {
  const { query } = useLocation();
  const set = names.flatMap((name) => query.getAll(name).map((value) => [name, value] as const)).filter(([, value]) => value);
  if (set.length === 0) return null;
  return (
    <ul class="chips" aria-label="Filters in effect">
      {set.map(([name, value]) => {
        const words = `${WORDS[name].label}: ${clipped(visible(valueWords(name, value)), 50)}`;
        return (
          <li key={name + value}>
            <button type="button" aria-label={`Clear filter ${words}`} onClick={() => filter({ [name]: query.getAll(name).filter((one) => one !== value) })}>
              <bdi>{words}</bdi> <Icon name="bad" />
            </button>
          </li>
        );
      })}
      {set.length > 1 && (
        <li>
          <button type="button" class="quiet" onClick={() => filter(Object.fromEntries(names.map((name) => [name, undefined])))}>
            Clear all
          </button>
        </li>
      )}
    </ul>
  );
}

// The filters of a list: some at once, others behind "More filters", and chips of all that are in effect.
export function Filters({ names, more = [] }: { names: readonly FilterName[]; more?: readonly FilterName[] }) {
  return (
    <>
      <div class="filters">
        {names.map((name) => (
          <Field key={name} name={name} />
        ))}
        {more.length > 0 && (
          <details class="more">
            <summary>More filters</summary>
            <div>
              {more.map((name) => (
                <Field key={name} name={name} />
              ))}
            </div>
          </details>
        )}
      </div>
      <Chips names={[...names, ...more]} />
    </>
  );
}

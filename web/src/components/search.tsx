// search.tsx - a text, and what it may mean: a combobox (ARIA's pattern) whose choices are links to pages.
import { useEffect, useState } from 'preact/hooks';
import { useApi } from '../api/ask';
import type { SearchItem } from '../api/types';
import { clipped, visible } from '../format';
import { go, href } from '../router';

// In words, and the page and parameter that show it.
const TYPES: Record<SearchItem['type'], [word: string, page: string, name: string]> = {
  domain: ['domain', 'domain', 'name'],
  ip: ['address', 'ip', 'ip'],
  source: ['source', 'source', 'key'],
  reporter: ['reporter', 'reports', 'reporter'],
  report: ['report', 'report', 'id'],
};

interface Choice {
  text: string;
  hint: string;
  to: string;
}

export function Search() {
  const [text, setText] = useState('');
  const [asked, setAsked] = useState('');
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const { data, problem, busy } = useApi<{ items: SearchItem[] }>(asked.length > 1 ? 'search' : undefined, { q: asked });
  useEffect(() => {
    const wait = setTimeout(() => setAsked(text.trim()), 200);
    return () => clearTimeout(wait);
  }, [text]);

  const found = asked.length > 1 && !problem ? (data?.items ?? []) : [];
  // What is found may be of another domain than the one that is looked at.
  const choices: Choice[] = found.map(({ type, key, text: words, hint }) => {
    const [word, page, name] = TYPES[type];
    return { text: words, hint: hint ? `${word} · ${hint}` : word, to: href(page, { domain: '', subdomains: '', [name]: key }) };
  });
  if (asked.length > 1) choices.push({ text: `Records with “${asked}”`, hint: '', to: href('records', { q: asked }) });
  const shown = open && choices.length > 0;
  const leave = () => {
    setOpen(false);
    setText('');
    setAsked('');
  };
  const follow = (choice: Choice | undefined) => {
    if (!choice) return;
    leave();
    go(choice.to);
  };
  const keys = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setOpen(true);
      setAt((at + step + choices.length) % Math.max(1, choices.length));
    } else if (event.key === 'Escape') leave();
  };
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        if (asked === text.trim() && !busy) follow(choices[at]);
      }}
    >
      <input
        type="search"
        role="combobox"
        list={undefined}
        aria-label="Search"
        aria-expanded={shown}
        aria-controls="found"
        aria-autocomplete="list"
        aria-activedescendant={shown ? `found-${at}` : undefined}
        placeholder="Domain, address, source, report"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setOpen(true);
          setAt(0);
        }}
        onKeyDown={keys}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
      />
      <ul id="found" role="listbox" aria-label="Found" hidden={!shown}>
        {choices.map((choice, index) => (
          <li
            key={choice.to}
            id={`found-${index}`}
            role="option"
            aria-selected={index === at}
            onPointerDown={(event) => {
              event.preventDefault();
              follow(choice);
            }}
          >
            <bdi>{clipped(visible(choice.text), 60)}</bdi> <small>{clipped(visible(choice.hint), 60)}</small>
          </li>
        ))}
      </ul>
    </form>
  );
}

// bar.tsx - the bar on every page: the current page, the selected domain and window, the time of the last mail, language and theme.
import { useEffect, useState } from 'preact/hooks';
import { useApi, useMe, useMeta } from '../api/ask';
import type { DomainItem, Intake, Me, Page } from '../api/types';
import { ago, clipped, visible } from '../format';
import { PAGES } from '../pages';
import { filter, href, useLocation } from '../router';
import { chooseLanguage, LANGUAGES, useText } from '../texts';
import { addDays, named, stretch, windowOf, WINDOWS } from '../window';
import { Search } from './search';

const STALE = 48 * 3600_000; // receivers report daily: after two days without one something is amiss

function Nav() {
  const { page } = useLocation();
  const features = useMeta()?.features;
  const limited = !!useMe()?.domains; // to domains; Intake belongs to none
  return (
    <nav aria-label="Pages" id="pages">
      {PAGES.filter(({ nav, feature, path }) => nav && (!feature || features?.[feature] || page === path) && !(limited && path === 'intake')).map(({ path, title }) => (
        <a key={path} href={href(path)} aria-current={page === path ? 'page' : undefined}>
          {title}
        </a>
      ))}
    </nav>
  );
}

function Dot() {
  const { data, problem } = useApi<Intake>('intake');
  const last = data?.last_report_at ?? null;
  const state = problem ? 'bad' : !data ? 'so' : last === null || Date.now() - Date.parse(last) > STALE ? 'warn' : 'good';
  const words = problem ? 'intake unknown' : !data ? 'intake …' : last === null ? 'no report yet' : `last report ${ago(last)}`;
  return (
    <a class={`intake ${state}`} href={href('intake')}>
      <span class="dot" aria-hidden="true" />
      {words}
    </a>
  );
}

// Nothing for users who are limited to domains.
function IntakeDot() {
  const { data: me, problem } = useApi<Me>('me', {}, true);
  return (me && !me.domains) || problem ? <Dot /> : null;
}

const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

function storedTheme(): Theme {
  return THEMES.find((theme) => theme === document.documentElement.dataset['theme']) ?? 'auto';
}

function ThemeToggle() {
  const [theme, setTheme] = useState<Theme>(storedTheme);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
  const choose = () => {
    if (next === 'auto') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = next;
    try {
      localStorage.setItem('ruad.theme', next);
    } catch {
      // not kept then
    }
    setTheme(next);
  };
  return (
    <button type="button" class="theme" onClick={choose} aria-label={`Theme: ${theme}. Change to ${next}`} title={`Theme: ${theme}`}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" class="icon">
        <circle cx="8" cy="8" r="5.5" />
        {theme !== 'light' && <path class="full" d={theme === 'dark' ? 'M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11' : 'M8 2.5a5.5 5.5 0 0 1 0 11z'} />}
      </svg>
    </button>
  );
}

// Switches the explanations to the next language.
function LanguageSwitch() {
  const { lang = 'en' } = useText();
  const all = Object.keys(LANGUAGES);
  const next = all[(all.indexOf(lang) + 1) % all.length]!;
  return (
    <button type="button" class="theme" lang={next} onClick={() => chooseLanguage(next)} aria-label={`${next.toUpperCase()}: ${LANGUAGES[next]}`} title={LANGUAGES[next]}>
      {next.toUpperCase()}
    </button>
  );
}

function DomainPicker() {
  const { query } = useLocation();
  const chosen = query.get('domain') ?? '';
  const { data } = useApi<Page<DomainItem>>('domains', { limit: 500 }, true);
  const names = new Set((data?.items ?? []).filter(({ kind }) => kind === 'policy').map(({ name }) => name));
  if (chosen) names.add(chosen);
  return (
    <>
      <label class="pick">
        <span>Domain</span>
        <select value={chosen} onChange={(event) => filter({ domain: event.currentTarget.value })}>
          <option value="">All domains</option>
          {[...names].sort().map((name) => (
            <option key={name} value={name}>
              {clipped(visible(name), 60)}
            </option>
          ))}
        </select>
      </label>
      {chosen && (
        <label class="pick">
          <input type="checkbox" checked={query.get('subdomains') === '1'} onChange={(event) => filter({ subdomains: event.currentTarget.checked ? '1' : '' })} />
          <span>and subdomains</span>
        </label>
      )}
    </>
  );
}

function CustomWindow() {
  const { query } = useLocation();
  const window = windowOf(query);
  const [from, setFrom] = useState(window.from);
  const [last, setLast] = useState(addDays(window.to, -1));
  useEffect(() => {
    setFrom(window.from);
    setLast(addDays(window.to, -1));
  }, [window.from, window.to]);
  const wrong = !from || !last || from > last;
  const submit = (event: Event) => {
    event.preventDefault();
    if (!wrong) filter(stretch(from, addDays(last, 1)));
  };
  return (
    <details class="custom">
      <summary aria-current={window.name === 'custom' ? 'true' : undefined}>{window.name === 'custom' ? window.words : 'Dates'}</summary>
      <form onSubmit={submit}>
        <label>
          First day
          <input type="date" value={from} max={last} onInput={(event) => setFrom(event.currentTarget.value)} />
        </label>
        <label>
          Last day
          <input type="date" value={last} min={from} onInput={(event) => setLast(event.currentTarget.value)} />
        </label>
        <button type="submit" disabled={wrong}>
          Show
        </button>
        <small>Days in UTC, both included.</small>
      </form>
    </details>
  );
}

function WindowPicker() {
  const { query } = useLocation();
  const window = windowOf(query);
  return (
    <div class="window" role="group" aria-label="Window">
      {WINDOWS.map(([name, , label]) => (
        <button key={name} type="button" aria-pressed={window.name === name} onClick={() => filter(named(name))}>
          {label}
        </button>
      ))}
      <CustomWindow />
    </div>
  );
}

// On a phone the pages and the search are behind a button.
export function Bar() {
  const [open, setOpen] = useState(false);
  const { page, query } = useLocation();
  const here = page + query;
  useEffect(() => setOpen(false), [here]);
  return (
    <header class={open ? 'open' : undefined}>
      <div class="top">
        <a class="brand" href={href('')}>
          <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
            <rect width="32" height="32" rx="7" />
            <path d="M8 22v-6M13.3 22v-11M18.7 22v-8M24 22v-13" />
          </svg>
          ruad
        </a>
        <Nav />
        <div class="end">
          <IntakeDot />
          <LanguageSwitch />
          <ThemeToggle />
          <button type="button" class="menu" aria-expanded={open} aria-controls="pages" onClick={() => setOpen(!open)}>
            Menu
          </button>
        </div>
      </div>
      <div class="scope">
        <DomainPicker />
        <WindowPicker />
        <Search />
      </div>
    </header>
  );
}

// app.tsx - the frame around every page: skip link, bar, the page that the URL names, footer.
import { type FunctionComponent, render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useMe } from './api/ask';
import { Bar } from './components/bar';
import { Textures } from './components/chart';
import { Failed, Skeleton } from './components/states';
import { Text } from './components/text';
import { Told } from './components/told';
import { PAGES } from './pages';
import { changed, href, start, unknownIn, useLocation } from './router';
import { wrongIn } from './window';

function Missing() {
  return (
    <>
      <h1 tabIndex={-1}>There is no such page</h1>
      <p>
        <a href={href('')}>Back to the overview</a>
      </p>
    </>
  );
}

// What shows a page that others.ts has. Once that is loaded, it is there at once.
let others: Record<string, FunctionComponent> | undefined;

// shown: called when the view appears later than its frame.
function Other({ path, shown }: { path: string; shown: () => void }) {
  const [failed, setFailed] = useState(false);
  const [, setViews] = useState(others);
  useEffect(() => {
    if (others) return;
    import('./pages/others').then(
      ({ VIEWS }) => setViews((others = VIEWS)),
      () => setFailed(true),
    );
  }, []);
  const View = others?.[path];
  const late = useRef(!View);
  useEffect(() => {
    if (View && late.current) shown();
  }, [View]);
  if (View) return <View />;
  // a file that has gone is that of another version: only the page as a whole can be loaded again
  if (failed) return <Failed problem={{ status: 0, title: 'This part of the page was not loaded', detail: 'ruad may be restarting, or have been upgraded.' }} retry={() => location.reload()} />;
  return <Skeleton rows={6} label="Loading the page" />;
}

// What of the address has no effect, and the address without it.
function Ignored() {
  const { query } = useLocation();
  const names = [...new Set([...unknownIn(query), ...wrongIn(query)])];
  if (names.length === 0) return null;
  return (
    <p class="notice warn" role="status">
      <span>
        The page does not understand this of its address, and ignores it: <Text value={names.map((name) => `${name}=${query.get(name)}`).join(', ')} max={200} />.{' '}
        <a href={changed(Object.fromEntries(names.map((name) => [name, undefined])))}>Take it off</a>
      </span>
    </p>
  );
}

// The server answers the link itself, so the router must not take it over.
function User() {
  const me = useMe();
  if (!me?.user) return null;
  return (
    <p class="user">
      Signed in as <Text value={me.user} max={60} />
      {me.roles.includes('editor') && !me.domains && (
        <>
          {' · '}
          <a href={href('audit')}>Audit log</a>
        </>
      )}
      {me.logout !== null && (
        <>
          {' · '}
          <a href={me.logout} target="_self">
            Sign out
          </a>
        </>
      )}
    </p>
  );
}

function App() {
  const { page, query } = useLocation();
  const entry = PAGES.find(({ path }) => path === page);
  const View = entry ? entry.view : Missing;
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const moved = useRef(false); // the page that is shown is not the first
  const about = (entry?.id && query.get(entry.id)) ?? '';
  const key = page + ' ' + about;

  useEffect(() => {
    document.title = [entry?.title ?? 'Not found', about || query.get('domain'), 'ruad'].filter(Boolean).join(' · ');
  });
  const focus = () => {
    if (moved.current) main.current?.querySelector('h1')?.focus({ preventScroll: true });
  };
  useEffect(() => {
    moved.current = !first.current;
    first.current = false;
    focus();
  }, [key]);

  const skip = (event: Event) => {
    event.preventDefault();
    main.current?.focus();
  };
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <Textures />
      <Bar />
      <main id="main" ref={main} tabIndex={-1}>
        {entry?.nav && page && (
          <>
            <h1 tabIndex={-1}>{entry.title}</h1>
            <Told topic="pages" term={page} />
          </>
        )}
        <Ignored />
        {View ? <View key={key} /> : <Other key={key} path={page} shown={focus} />}
      </main>
      <footer>
        <User />
        <Told term="all" />
      </footer>
    </>
  );
}

start();
render(<App />, document.getElementById('app')!);

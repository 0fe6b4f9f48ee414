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
import { href, start, useLocation } from './router';

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

function Other({ path }: { path: string }) {
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
  if (View) return <View />;
  // a file that has gone is that of another version: only the page as a whole can be loaded again
  if (failed) return <Failed problem={{ status: 0, title: 'This part of the page was not loaded', detail: 'ruad may be restarting, or have been upgraded.' }} retry={() => location.reload()} />;
  return <Skeleton rows={6} label="Loading the page" />;
}

// The server answers the link itself, so the router must not take it over.
function User() {
  const me = useMe();
  if (!me?.user) return null;
  return (
    <p class="user">
      Signed in as <Text value={me.user} max={60} />
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
  const about = (entry?.id && query.get(entry.id)) ?? '';
  const key = page + ' ' + about;

  useEffect(() => {
    document.title = [entry?.title ?? 'Not found', about || query.get('domain'), 'ruad'].filter(Boolean).join(' · ');
  });
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.querySelector('h1')?.focus({ preventScroll: true });
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
        {View ? <View key={key} /> : <Other key={key} path={page} />}
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

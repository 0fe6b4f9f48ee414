// app.tsx - the frame around every page: skip link, bar, the page that the URL names, footer.
import { render } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useMe } from './api/ask';
import { Bar } from './components/bar';
import { Textures } from './components/chart';
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
  const View = entry?.view ?? Missing;
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
        <View key={key} />
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

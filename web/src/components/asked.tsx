// asked.tsx - shows an answer of the API, or that it is loading or failed: plain, as a card, with a page for "none ever received", or as a page of one thing.
import type { ComponentChildren } from 'preact';
import { type Answer, useApi } from '../api/ask';
import type { Meta } from '../api/types';
import { href, useLocation } from '../router';
import { Failed, Skeleton } from './states';

interface Props<T> {
  answer: Answer<T>;
  label: string; // what is loading
  children: (found: T) => ComponentChildren;
}

export function Asked<T>({ answer: { data, problem, retry, busy }, label, children }: Props<T>) {
  if (problem) return <Failed problem={problem} retry={retry} />;
  return data ? <div aria-busy={busy}>{children(data)}</div> : <Skeleton rows={8} label={`Loading ${label}`} />;
}

export function Card<T>(props: Props<T>) {
  return (
    <section class="card">
      <h2>{props.label}</h2>
      <Asked {...props} />
    </section>
  );
}

// What needs reports of a kind that may never have come.
export const Feature = ({ name, label, never, children }: { name: keyof Meta['features']; label: string; never: ComponentChildren; children: ComponentChildren }) => (
  <Asked answer={useApi<Meta>('meta')} label={label}>
    {({ features }) => (features[name] ? children : never)}
  </Asked>
);

// A page of the thing whose id is in the address; what names it is its heading.
export function One<T>({ path, back, label, name, children }: Omit<Props<T>, 'answer'> & { path: string; back: [page: string, title: string]; name: (found: T) => ComponentChildren }) {
  const id = useLocation().query.get('id');
  const answer = useApi<T>(id ? `${path}/${encodeURIComponent(id)}` : undefined);
  return (
    <>
      <p class="crumb">
        <a href={href(back[0])}>{back[1]}</a>
      </p>
      <h1 tabIndex={-1}>{answer.data ? name(answer.data) : label}</h1>
      {id ? (
        <Asked answer={answer} label={label}>
          {children}
        </Asked>
      ) : (
        <p class="notice">The address has no id.</p>
      )}
    </>
  );
}

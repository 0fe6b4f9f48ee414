// states.tsx - what a view shows instead of its numbers, or beside them: loading, an error, nothing in this window, old reports.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useApi, useMeta } from '../api/ask';
import type { Problem, Summary } from '../api/types';
import { ago, plural } from '../format';
import { changed, href } from '../router';
import { useScope } from '../scope';
import { Icon } from './marks';
import { Hint } from './told';

export function Skeleton({ rows = 4, label = 'Loading' }: { rows?: number; label?: string }) {
  return (
    <div class="skeleton" role="status">
      <span class="hidden">{label}…</span>
      {Array.from({ length: rows }, (_, index) => (
        <i key={index} aria-hidden="true" />
      ))}
    </div>
  );
}

export function Failed({ problem, retry }: { problem: Problem; retry: () => void }) {
  return (
    <div class="notice bad" role="alert">
      <p>
        <strong>{problem.title}</strong>
        {problem.status > 0 && <span class="faint"> ({problem.status})</span>}
      </p>
      {problem.detail && <p>{problem.detail}</p>}
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}

// How much there would be without the filters.
function Without({ filters }: { filters: readonly string[] }) {
  const { params, window } = useScope();
  const { data } = useApi<Summary>('summary', filters.includes('domain') ? { from: params.from, to: params.to } : params);
  return data ? <>: {plural(data.totals.messages, 'message')} from {plural(data.sources.total, 'source')} in {window.words}</> : null;
}

// Nothing matches; the filters that may be why, and the way out. counted: the list is of messages that pass these filters.
export function Empty({ children, filters, counted = true }: { children: ComponentChildren; filters: readonly string[]; counted?: boolean }) {
  const { searchParams } = new URL(location.href);
  const set = filters.filter((name) => searchParams.get(name));
  return (
    <div class="notice">
      <p>{children}</p>
      {set.length > 0 && (
        <p>
          <a href={changed(Object.fromEntries(set.map((name) => [name, undefined])))}>Clear {set.length === 1 ? 'the filter' : 'all filters'}</a>
          {counted && <Without filters={set} />}
        </p>
      )}
    </div>
  );
}

// No report for three days, though the window reaches to the present.
export function Stale({ last, to }: { last: string | null; to: string }) {
  if (last === null || Date.now() - Date.parse(last) < 72 * 3600_000 || Date.parse(to) < Date.now() - 3 * 86_400_000) return null;
  return (
    <div class="notice warn">
      <p>
        <strong>The last report was received {ago(last)}.</strong> Receivers report daily, so mail may not reach ruad. <a href={href('intake')}>See intake</a>
      </p>
    </div>
  );
}

// Addresses are not looked up: sources have no names yet.
export function Unnamed() {
  const meta = useMeta();
  if (!meta || meta.features.enrich) return null;
  return (
    <Hint term="names" />
  );
}

// A text to take along.
export function Copyable({ text }: { text: string }) {
  const [done, setDone] = useState(false);
  const copy = () => navigator.clipboard.writeText(text).then(() => setDone(true), () => undefined);
  return (
    <div class="copy">
      <code>{text}</code>
      {'clipboard' in navigator && (
        <button type="button" class="quiet" onClick={copy}>
          <Icon name="copy" /> {done ? 'copied' : 'copy'}
        </button>
      )}
    </div>
  );
}

// router.ts - the URL is the page's only state: a page name, one level deep, and a query.
//
// Addresses are relative to the folder the page is served from, whatever prefix a proxy gives it: "./", "./sources?…".
// A link pushes, a changed filter replaces. Clicks on plain <a> elements are taken over, so markup stays markup.
import { useEffect, useReducer } from 'preact/hooks';

export interface Location {
  page: string; // last path segment; '' is the overview
  query: URLSearchParams;
}

export type Params = Record<string, string | number | undefined>;

// Parameters that go along from page to page: what the bar at the top chooses.
export const GLOBAL = ['domain', 'window', 'from', 'to'] as const;

const ORDER = [...GLOBAL, 'id', 'ip', 'reporter', 'result', 'status', 'sort'];
const listeners = new Set<() => void>();
const base = new URL('./', location.href).pathname;

export function current(): Location {
  return { page: location.pathname.slice(base.length), query: new URLSearchParams(location.search) };
}

export function useLocation(): Location {
  const [, update] = useReducer((n: number, _: void) => n + 1, 0);
  useEffect(() => {
    const listener = () => update();
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return current();
}

function address(page: string, query: URLSearchParams): string {
  const text = query.toString().replaceAll('%3A', ':').replaceAll('%2F', '/');
  return `./${page}${text ? '?' + text : ''}`;
}

// The address of a page, keeping the global parameters of the present one; undefined and '' drop a parameter.
export function href(page: string, params: Params = {}): string {
  const { query } = current();
  const all: Params = {};
  for (const name of GLOBAL) all[name] = query.get(name) ?? undefined;
  Object.assign(all, params);
  const rank = (name: string) => (ORDER.indexOf(name) + ORDER.length + 1) % (ORDER.length + 1);
  const next = new URLSearchParams();
  for (const name of Object.keys(all).sort((a, b) => rank(a) - rank(b))) {
    const value = all[name];
    if (value !== undefined && value !== '') next.set(name, String(value));
  }
  return address(page, next);
}

// The present address with some parameters changed.
export function changed(params: Params): string {
  const { page, query } = current();
  return href(page, { ...Object.fromEntries(query), ...params });
}

export function go(to: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') history.pushState(null, '', to);
  else history.replaceState(null, '', to);
  for (const listener of listeners) listener();
}

// Change filters: the same page, so Back leaves the page rather than undoing one key stroke after another.
export function filter(params: Params): void {
  go(changed(params), 'replace');
}

function followed(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const anchor = event.target instanceof Element ? event.target.closest('a[href]') : null;
  if (!anchor || anchor.hasAttribute('download') || anchor.hasAttribute('target')) return;
  const url = new URL(anchor.getAttribute('href') ?? '', location.href);
  const page = url.pathname.slice(base.length);
  if (url.origin !== location.origin || !url.pathname.startsWith(base) || page.includes('/') || url.hash) return;
  event.preventDefault();
  go(url.href);
  scrollTo(0, 0);
}

export function start(): void {
  addEventListener('click', followed);
  addEventListener('popstate', () => listeners.forEach((listener) => listener()));
}

// router.ts - the URL is the page's only state: a page name, one level deep, and a query.
//
// Addresses are relative to the folder the page is served from, whatever prefix a proxy gives it: "./", "./sources?…".
// A link pushes, a changed filter replaces. Clicks on plain <a> elements are taken over, so markup stays markup.
import { useEffect, useReducer } from 'preact/hooks';

interface Location {
  page: string; // last path segment; '' is the overview
  query: URLSearchParams;
}

// A list is a parameter that comes several times; undefined and '' are no parameter.
export type Params = Record<string, string | number | undefined | string[]>;

// Parameters that go along from page to page: what the bar at the top chooses.
const GLOBAL = ['domain', 'subdomains', 'window', 'from', 'to'] as const;

// The common filters of the API, of the same name in the page's address. They stay on their page.
export const FILTERS = [
  'source', 'ip', 'asn', 'country', 'rdns', 'auth_domain', 'header_from', 'reporter',
  'result', 'class', 'dkim', 'spf', 'disposition', 'override', 'label', 'q', 'others',
] as const;
export type FilterName = (typeof FILTERS)[number] | 'report_id' | 'kind' | 'code' | 'action' | 'user'; // those only of reports, Intake and the audit log

const ORDER: readonly string[] = [...GLOBAL, 'id', 'name', 'key', 'group', ...FILTERS, 'report_id', 'kind', 'status', 'code', 'action', 'user', 'sort'];
const KNOWN = new Set([...ORDER, 'policy', 'chart', 'report']);
// The parameters of its address that the page does not know: a filter with a slip must not look like one that matches.
export const unknownIn = (query: URLSearchParams): string[] => [...new Set(query.keys())].filter((name) => !KNOWN.has(name));

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

// Those of the query's parameters, as the API takes them.
export function picked(query: URLSearchParams, names: Iterable<string>): Params {
  const params: Params = {};
  for (const name of names) params[name] = query.getAll(name);
  return params;
}

function address(page: string, params: Params): string {
  const rank = (name: string) => (ORDER.indexOf(name) + ORDER.length + 1) % (ORDER.length + 1);
  const query = new URLSearchParams();
  for (const name of Object.keys(params).sort((a, b) => rank(a) - rank(b)))
    for (const value of [params[name]].flat()) if (value !== undefined && value !== '') query.append(name, String(value));
  const text = query.toString().replaceAll('%3A', ':').replaceAll('%2F', '/');
  return `./${page}${text ? '?' + text : ''}`;
}

// The address of a page, keeping the global parameters of the present one.
export function href(page: string, params: Params = {}): string {
  return address(page, { ...picked(current().query, GLOBAL), ...params });
}

// The present address with some parameters changed.
export function changed(params: Params): string {
  const { page, query } = current();
  return address(page, { ...picked(query, query.keys()), ...params });
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
  if (url.origin !== location.origin || !url.pathname.startsWith(base) || page.includes('/') || page.includes('.') || url.hash) return;
  event.preventDefault();
  go(url.href);
  scrollTo(0, 0);
}

export function start(): void {
  addEventListener('click', followed);
  addEventListener('popstate', () => listeners.forEach((listener) => listener()));
}

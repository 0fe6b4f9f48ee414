// scope.ts - what the bar at the top has chosen, and the filters of a list, as parameters of the API.
import { type FilterName, type Params, picked, useLocation } from './router';
import { type Window, windowOf } from './window';

export interface Scope {
  domain: string | undefined;
  window: Window;
  params: Params & { from: string; to: string }; // domain, subdomains, from, to
  query: URLSearchParams;
  // params and those of the common filters that are set
  filtered: (names: readonly FilterName[]) => Params;
}

export function useScope(): Scope {
  const { query } = useLocation();
  const domain = query.get('domain') || undefined;
  const window = windowOf(query);
  const subdomains = domain ? (query.get('subdomains') ?? undefined) : undefined;
  const params = { domain: query.getAll('domain'), subdomains, from: window.from, to: window.to };
  return { domain, window, params, query, filtered: (names) => ({ ...params, ...picked(query, names) }) };
}

// scope.ts - what the bar at the top has chosen, as parameters of the API.
import { useLocation } from './router';
import { type Window, windowOf } from './window';

export interface Scope {
  domain: string | undefined;
  window: Window;
  params: { domain: string | undefined; from: string; to: string };
  query: URLSearchParams;
}

export function useScope(): Scope {
  const { query } = useLocation();
  const domain = query.get('domain') || undefined;
  const window = windowOf(query);
  return { domain, window, params: { domain, from: window.from, to: window.to }, query };
}

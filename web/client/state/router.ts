// Which screen is shown, by what stands behind the # in the address.
import { hashOf, routeOf } from '../pure/route.ts';
import { createStore } from './store.ts';

export const route = createStore(routeOf(location.hash));

window.addEventListener('hashchange', () => {
  route.set(routeOf(location.hash));
  window.scrollTo(0, 0);
});

export function go(...parts: readonly string[]): void {
  location.hash = hashOf(...parts);
}

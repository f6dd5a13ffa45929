// Addresses within the page: what stands behind the # names a screen and, for some, what it shows.

export type Section = 'nodes' | 'invites' | 'log-ins' | 'relays' | 'rules' | 'audit' | 'state';
export type SettingsPart = 'box' | 'page' | 'backup' | 'logs' | 'all';

export type Route =
  | { readonly screen: 'overview' | 'plugins' | 'welcome' }
  | { readonly screen: 'peer'; readonly peer: string }
  | { readonly screen: 'plugin'; readonly plugin: string }
  | { readonly screen: 'network'; readonly section: Section }
  | { readonly screen: 'settings'; readonly part: SettingsPart }
  | { readonly screen: 'unknown' };

export const SECTIONS: readonly Section[] = [
  ...(['nodes', 'invites', 'log-ins', 'relays', 'rules', 'audit', 'state'] as const),
];
export const SETTINGS_PARTS: readonly SettingsPart[] = ['box', 'page', 'backup', 'logs', 'all'];

export function routeOf(hash: string): Route {
  const [screen = '', about = '', ...more] = hash
    .replace(/^#?\/?/, '')
    .split('/')
    .map(decoded);
  if (more.length > 0) return { screen: 'unknown' };
  switch (screen) {
    case '':
      return { screen: 'overview' };
    case 'plugins':
      return about === '' ? { screen: 'plugins' } : { screen: 'plugin', plugin: about };
    case 'welcome':
      return { screen: 'welcome' };
    case 'peers':
      return about === '' ? { screen: 'overview' } : { screen: 'peer', peer: about };
    case 'network':
      return { screen: 'network', section: SECTIONS.find(section => section === about) ?? 'nodes' };
    case 'settings':
      return { screen: 'settings', part: SETTINGS_PARTS.find(part => part === about) ?? 'box' };
    default:
      return { screen: 'unknown' };
  }
}

/** `#/peers/cellar%20router` */
export const hashOf = (...parts: readonly string[]): string => `#/${parts.map(encodeURIComponent).join('/')}`;

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

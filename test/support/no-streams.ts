// Doors for a plugin that uses neither connections between nodes nor the location server's word.
import type { HomeDoor, NetworkWords, StreamDoor } from '../../core/contract/plugin.ts';
import type { HomeGiven, NetworkGiven } from '../../core/plugin-host/doors.ts';

export const noStreams: StreamDoor = {
  node: '',
  open: () => Promise.reject(new TypeError('no streams here')),
  all: [],
  find: () => null,
  serve: () => () => undefined,
  onChange: () => () => undefined,
};

export const noNetwork: NetworkWords & NetworkGiven = {
  route: () => Promise.reject(new TypeError('no network here')),
  onRelays: () => () => undefined,
  tell: () => undefined,
  telling: () => ({ tell: () => undefined, end: () => undefined }),
};

export const noHome: HomeDoor & HomeGiven = {
  gateways: () => [],
  ports: () => [],
  onChange: () => () => undefined,
  tell: () => undefined,
  telling: () => ({ tell: () => undefined, end: () => undefined }),
};

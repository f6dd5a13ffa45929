// Doors for a plugin that uses neither connections between nodes nor the location server's word.
import type { HomeDoor, LinkDoor, NetworkWords, SignalDoor, StreamDoor } from '../../core/contract/plugin.ts';
import type { HomeGiven, NetworkGiven, SignalsGiven } from '../../core/plugin-host/doors.ts';

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

export const noSignals: SignalDoor & SignalsGiven = {
  send: () => Promise.reject(new TypeError('no signals here')),
  onSignal: () => () => undefined,
};

export const noLinks: LinkDoor = {
  opened: () => ({ received() {}, closed() {} }),
  isPlace: () => false,
};

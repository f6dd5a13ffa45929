// A whole plugin, to be copied and changed: it offers one fixed address. docs/plugins.md tells what each part is for.
import { isIP } from 'node:net';

export function createPlugin({ settings, log }) {
  let { address, port } = settings;
  const listeners = new Set();

  return {
    async start() {
      log.info('offering an address', { address, port });
    },

    async stop() {
      listeners.clear();
    },

    // New settings without a stop and a start. Leave it out where that is too much trouble.
    async reconfigure(next) {
      ({ address, port } = next);
      for (const changed of listeners) changed();
    },

    report() {
      return isIP(address) === 0
        ? { state: 'limited', code: 'EXAMPLE_NO_ADDRESS', facts: { address } }
        : { state: 'ready', code: '', facts: { address, port } };
    },

    candidates() {
      const family = isIP(address);
      if (family === 0) return [];
      return [
        { kind: 'mapped', transport: 'udp', endpoint: { family, address, port }, foundBy: 'example-plugin' },
      ];
    },

    // This one measures nothing.
    natReport() {
      return {
        takenAt: 0,
        udp: 'not-checked',
        nat: 'not-checked',
        mapping: 'not-checked',
        filtering: 'not-checked',
        ports: { rule: 'not-checked' },
        hairpin: 'not-checked',
        lifetimeMs: null,
        ipv6: 'not-checked',
        mapped: [],
        notes: [],
      };
    },

    async refresh() {},

    onChange(changed) {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
  };
}

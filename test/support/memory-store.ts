// A store in memory, for what is tested without a disk: values are copied as JSON, like on one.
import type { ScopedStore } from '../../base/store.ts';

export function memoryStore(kept = new Map<string, string>(), prefix = ''): ScopedStore {
  const store: ScopedStore = {
    get: async key => {
      const text = await Promise.resolve(kept.get(prefix + key));
      return text === undefined ? undefined : (JSON.parse(text) as unknown);
    },
    put: (key, value) => store.batch([{ type: 'put', key, value }]),
    delete: key => store.batch([{ type: 'delete', key }]),
    batch: async operations => {
      await Promise.resolve();
      for (const operation of operations)
        if (operation.type === 'put') kept.set(prefix + operation.key, JSON.stringify(operation.value));
        else kept.delete(prefix + operation.key);
    },
    entries: async start => {
      const all = await Promise.resolve([...kept].sort());
      return all
        .filter(([key]) => key.startsWith(prefix + start))
        .map(([key, text]) => [key.slice(prefix.length), JSON.parse(text) as unknown]);
    },
    scope: more => memoryStore(kept, prefix + more),
  };
  return store;
}

// Loaded into every test: what a test starts runs as it would anywhere. tap gives each node process below a test a loader
// of its own (for coverage, which is off), which doubles the time and memory that a started `ginnel` takes.
import processOnSpawn from 'process-on-spawn';

const LOADERS = / ?"?--import=\S*@tapjs\S*/g;

processOnSpawn.addListener(spawned => {
  const { NODE_OPTIONS = '', ...rest } = spawned.env ?? process.env;
  const options = NODE_OPTIONS.replaceAll(LOADERS, '').trim();
  spawned.env = options === '' ? rest : { ...rest, NODE_OPTIONS: options };
  return spawned;
});

// What can be wrong with a plugin, in words for the person who runs the box.
import { defineErrors } from '../../base/errors.ts';

export const pluginErrors = defineErrors({
  PLUGIN_UNKNOWN: {
    what: 'There is no plugin named {plugin}.',
    why: 'No folder of the plugins directory has that name and a plugin.json.',
    todo: 'See the names with: ginnel plugins.',
    retry: false,
  },
  PLUGIN_MANIFEST: {
    what: 'The plugin {plugin} cannot be used.',
    why: 'Its plugin.json is not valid: {problem}.',
    todo: 'Install the plugin again, or remove its folder.',
    retry: false,
  },
  PLUGIN_CONTRACT: {
    what: 'The plugin {plugin} does not fit this version of Ginnel.',
    why: 'It was written for contract {wanted}; this Ginnel has {offered}.',
    todo: 'Install the version of the plugin that belongs to this Ginnel.',
    retry: false,
  },
  PLUGIN_SETTINGS: {
    what: 'The settings of the plugin {plugin} were not accepted.',
    why: '{problem}.',
    todo: 'Correct them; the former settings stay in use until then.',
    retry: false,
  },
  PLUGIN_NATIVE_MISSING: {
    what: 'The plugin {plugin} is not available on this machine.',
    why: 'The native package {package} does not load here.',
    todo: 'Nothing else is affected. Install the package for this kind of machine, or turn the plugin off.',
    retry: false,
  },
  PLUGIN_UNSAFE: {
    what: 'The plugin {plugin} is not used.',
    why: 'Somebody other than root and the user that Ginnel runs as could change what it does: {problem}.',
    todo: 'If you trust what lies there: chown -R root {folder}; chmod -R go-w {folder}.',
    retry: false,
  },
  PLUGIN_NAME_TAKEN: {
    what: 'The plugin {plugin} is not used.',
    why: 'Ginnel has a plugin named {name} itself, and nobody may stand in its place.',
    todo: 'Give the other one a name of its own: its folder, and "name" in its plugin.json.',
    retry: false,
  },
  PLUGIN_AT_REST: {
    what: 'The plugin {plugin} cannot be tried again now.',
    why: 'Plugins run while this box is on the network, and it is not.',
    todo: 'Bring it up: ginnel up.',
    retry: false,
  },
  PLUGIN_LOAD_FAILED: {
    what: 'The code of the plugin {plugin} does not load.',
    why: 'It said: {problem}.',
    todo: 'Mend it or install it again, then: ginnel plugins retry {plugin}.',
    retry: false,
  },
  PLUGIN_START_FAILED: {
    what: 'The plugin {plugin} did not start.',
    why: 'It said: {problem}.',
    todo: 'It is tried again by itself; if it keeps failing, turn it off.',
    retry: true,
  },
  PLUGIN_START_TIMEOUT: {
    what: 'The plugin {plugin} did not start.',
    why: 'It was not ready within {seconds} s.',
    todo: 'It is tried again by itself; if it keeps failing, turn it off.',
    retry: true,
  },
  PLUGIN_STOP_TIMEOUT: {
    what: 'The plugin {plugin} did not stop cleanly.',
    why: 'It was not done within {seconds} s and was left behind.',
    todo: 'Restart Ginnel when it suits you, to free what the plugin still holds.',
    retry: false,
  },
  PLUGIN_CRASHED: {
    what: 'The plugin {plugin} failed while it ran, and was stopped.',
    why: 'It said: {problem}.',
    todo: 'It is tried again by itself; if it keeps failing, turn it off.',
    retry: true,
  },
  PLUGIN_REPORT: {
    what: 'The plugin {plugin} gives no usable report.',
    why: '{problem}.',
    todo: 'Turn it off and on again; if that does not help, leave it off.',
    retry: true,
  },
  PLUGIN_ANSWER: {
    what: 'The plugin {plugin} gives no usable answer.',
    why: '{part}: {problem}.',
    todo: 'The rest of Ginnel does without it. Turn it off and on again; if that does not help, leave it off.',
    retry: true,
  },
});

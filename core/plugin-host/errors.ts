// What can be wrong with a plugin, in words for the person who runs the box.
import { defineErrors } from '../../base/errors.ts';

export const pluginErrors = defineErrors({
  PLUGIN_UNKNOWN: {
    what: 'There is no plugin named {plugin}.',
    why: 'No folder of the plugins directory has that name and a plugin.json.',
    todo: 'See the names with: ginnel status --json.',
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
  PLUGIN_REPORT: {
    what: 'The plugin {plugin} gives no usable report.',
    why: '{problem}.',
    todo: 'Turn it off and on again; if that does not help, leave it off.',
    retry: true,
  },
});

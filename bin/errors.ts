// What the command and the daemon around node and server can meet themselves.
import { defineErrors } from '../base/errors.ts';

export const commandErrors = defineErrors({
  DAEMON_NOT_RUNNING: {
    what: 'Ginnel is not running on this box.',
    why: 'Nothing answers at {socket}.',
    todo: 'Start it with: sudo ginnel up (a location server: sudo ginnel server).',
    retry: false,
  },
  DAEMON_NOT_ALLOWED: {
    what: 'You may not talk to Ginnel on this box.',
    why: 'The socket {socket} belongs to another user.',
    todo: 'Run the command as root (sudo), or, to look only, as a member of the group ginnel.',
    retry: false,
  },
  DAEMON_SILENT: {
    what: 'Ginnel broke off its answer.',
    why: '{problem}.',
    todo: 'See whether it is still there with: ginnel status.',
    retry: true,
  },
  DAEMON_RUNNING: {
    what: 'Another Ginnel runs with the state folder {folder} already.',
    why: 'Two of them would overwrite each other.',
    todo: 'Use the one that runs (ginnel status), stop it first, or set GINNEL_STATE to another folder.',
    retry: false,
  },
  DAEMON_DIED: {
    what: 'Ginnel did not start.',
    why: '{problem}.',
    todo: 'Run it in the foreground to see more: sudo ginnel run.',
    retry: true,
  },
  DAEMON_SLOW: {
    what: 'Ginnel was started but does not answer.',
    why: 'Its socket {socket} was silent for {seconds} s.',
    todo: 'Look at it again with ginnel status; the log is in {log}.',
    retry: true,
  },
  STATE_FOLDER: {
    what: 'The state folder {folder} cannot be used.',
    why: '{problem}.',
    todo: 'Run as root (sudo), or set GINNEL_STATE to a folder of your own.',
    retry: false,
  },
  REPAIR_NOT_AGREED: {
    what: 'Nothing was changed.',
    why: 'The repair would go back in time, or leaves something as it is, and nobody agreed to that.',
    todo: 'If that is what you want: ginnel repair --yes.',
    retry: false,
  },
  INVITE_FILE: {
    what: 'The invite could not be read from {file}.',
    why: '{problem}.',
    todo: 'Check the name, or paste the invite when asked.',
    retry: false,
  },
  INTERRUPTED: {
    what: 'You broke it off.',
    why: '',
    todo: 'Nothing was changed.',
    retry: false,
  },
  VALUE_NEEDED: {
    what: 'A value for {key} is missing.',
    why: 'It may be {mayBe}.',
    todo: 'Say it behind the key: ginnel set {key} VALUE; back to the default: ginnel unset {key}.',
    retry: false,
  },
  SECRET_IN_ARGUMENTS: {
    what: 'The setting {key} was not changed.',
    why: 'It is a secret, and whoever lists the processes of this box reads arguments.',
    todo: 'Leave it out: ginnel set {key} asks for it, or reads it from standard input.',
    retry: false,
  },
  USAGE: {
    what: 'This command was not understood.',
    why: '{problem}',
    todo: 'All there are: ginnel help all; what each takes: ginnel COMMAND --help.',
    retry: false,
  },
  EXPORT_FILE: {
    what: 'The export {file} could not be read or written.',
    why: '{problem}.',
    todo: 'Check the name and the room there. A server that was stopped by --move can be exported again as it is.',
    retry: false,
  },
  PASSPHRASE_NEEDED: {
    what: 'There was no passphrase.',
    why: 'It is asked for on the terminal, or is the first line of standard input.',
    todo: 'Say one, or leave out --passphrase.',
    retry: false,
  },
  PASSPHRASE_TWICE: {
    what: 'The two passphrases are not the same.',
    why: 'It is asked for twice, so that a slip does not lock the export for ever.',
    todo: 'Try again.',
    retry: false,
  },
  REPORT_FILE: {
    what: 'The report could not be written to {file}.',
    why: '{problem}.',
    todo: 'Name another file, or - for standard output. A file that is there is not overwritten.',
    retry: false,
  },
  SERVICE_NO_SYSTEMD: {
    what: 'Ginnel was not made a service.',
    why: 'systemd does not run on this box.',
    todo: 'Let whatever starts programs here run `ginnel run` as root; it stays in the foreground and ends on SIGTERM.',
    retry: false,
  },
  SERVICE_FAILED: {
    what: 'systemd did not do what was asked: {action}.',
    why: '{problem}.',
    todo: 'Run it as root (sudo); systemctl status ginnel and ginnel logs say more.',
    retry: false,
  },
  SECRET_IN_ARGV: {
    what: '"{key}" is a secret, and was not taken from the command line.',
    why: 'There every user of this box can read it.',
    todo: 'Give it on standard input ({key}=-) or in a file ({key}=@FILE).',
    retry: false,
  },
  VALUE_FILE: {
    what: 'The value of {key} could not be read from {file}.',
    why: '{problem}.',
    todo: 'Check the name of the file and who may read it.',
    retry: false,
  },
  INTERNAL: {
    what: 'Something went wrong inside Ginnel.',
    why: '{problem}.',
    todo: 'If it happens again, report it with the log.',
    retry: true,
  },
});

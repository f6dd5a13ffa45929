// Exit codes, which scripts rely on.
import t from 'tap';
import { GinnelError } from '../../../base/errors.ts';
import { EXIT, exitCodeOf } from '../../../bin/exit-codes.ts';

const codeFor = (code: string): number => exitCodeOf(new GinnelError(code, code));

t.test(
  'whatever the location server refuses is 4; what is only missing, or went wrong here, is 1',
  async t => {
    const refused = [
      'INVITE_USED',
      'INVITE_EXPIRED',
      'INVITE_UNKNOWN',
      'NAME_TAKEN',
      'KEY_CHANGED',
      'NODE_REMOVED',
      'NODE_DISABLED',
    ];
    for (const code of [
      ...refused,
      'PROOF_WRONG',
      'NETWORK_UNKNOWN',
      'POOL_CLASH',
      'VERSION',
      'RECORD_WRONG',
    ])
      t.equal(codeFor(code), EXIT.refused, code);
    for (const code of [
      'INVITE_NEEDED',
      'INVITE_UNREADABLE',
      'SERVER_UNREACHABLE',
      'PORT_TAKEN',
      'TUN_MISSING',
    ])
      t.equal(codeFor(code), EXIT.failed, code);
    for (const code of ['DAEMON_NOT_RUNNING', 'DAEMON_SILENT']) t.equal(codeFor(code), EXIT.noDaemon, code);
  },
);

// Fuzz target: an export of the server, as a person brings it. It answers by errors with codes, not by results.
import { GinnelError } from '../../base/errors.ts';
import { canonicalJson } from '../../protocol/location/canonical.ts';
import { readContents, readExportFile } from '../../server/export-file.ts';
import { primitives } from '../../system/crypto.ts';
import { bytesOf, mustHold, textOf, type FuzzTarget } from './harness.ts';
import { twist } from './twist.ts';

const key = 'A'.repeat(43);
const network = 'A'.repeat(22);
const contents = {
  keys: { v: 1, control: key, identity: key, network },
  files: [['authority.json', '{}']],
  format: 1,
  entries: [[`net/${network}/network`, { v: 1, pool4: '10.77.0.0/16' }]],
};
const file = {
  ginnel: 'server export',
  v: 1,
  made: '2026-11-26T07:00:00.000Z',
  seal: null,
  body: Buffer.from(JSON.stringify(contents)).toString('base64'),
};

/** With a checksum that fits: what is wrong then is in the fields. */
function checksummed(fields: object): string {
  const sum = primitives.sha256(bytesOf(canonicalJson({ ...fields, sha256: undefined })));
  return JSON.stringify({ ...fields, sha256: Buffer.from(sum).toString('hex') });
}

export const exportFiles: FuzzTarget = {
  name: 'exports of a server',
  decoders: ['server/export-file.ts'],
  cost: 20,
  valid: () => bytesOf(checksummed(file)),
  repair(_, random) {
    if (random.oneIn(2)) return bytesOf(checksummed(Object(twist(file, random)) as object));
    const body = Buffer.from(JSON.stringify(twist(contents, random))).toString('base64');
    return bytesOf(checksummed({ ...file, body }));
  },
  check(input) {
    try {
      const { body } = readExportFile(textOf(input));
      const read = readContents(Buffer.from(body, 'base64'));
      mustHold(read.keys.control.length === 43, 'keys of a wrong length');
      return 'accepted';
    } catch (error) {
      if (error instanceof GinnelError && error.code.startsWith('EXPORT_'))
        return error.code.toLowerCase().replace('_', '.');
      throw error;
    }
  },
};

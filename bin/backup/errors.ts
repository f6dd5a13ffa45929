// What can go wrong with a back-up of the whole box, and on its way back.
import { defineErrors } from '../../base/errors.ts';

export const backupErrors = defineErrors({
  BACKUP_NOTHING: {
    what: 'There is nothing here to back up.',
    why: 'This box has joined no network and runs no location server.',
    todo: 'Join one first: ginnel up; or set up a server: ginnel server.',
    retry: false,
  },
  BACKUP_TOO_LARGE: {
    what: 'The back-up would be larger than any that can be restored.',
    why: 'It would have {bytes} bytes; {limit} is the most.',
    todo: 'Stop Ginnel and copy its state folder instead: docs/state.md.',
    retry: false,
  },
  BACKUP_NOT_EMPTY: {
    what: 'Nothing was restored.',
    why: 'This box is in use: {problem}. A back-up takes the place of everything that a box is.',
    todo: 'Restore on a box that is new. If this one is to be replaced: stop Ginnel, move {folder} away, and start it again.',
    retry: false,
  },
  BACKUP_FOREIGN: {
    what: 'That file is no back-up of a box.',
    why: 'It does not begin as one.',
    todo: 'Name a file that was made with: ginnel backup. An export of a server goes in with: ginnel server import.',
    retry: false,
  },
  BACKUP_CUT: {
    what: 'The back-up is not whole.',
    why: 'It begins as one and breaks off.',
    todo: 'Copy it again. Nothing was changed.',
    retry: false,
  },
  BACKUP_DAMAGED: {
    what: 'The back-up is damaged.',
    why: '{problem}.',
    todo: 'Copy it again, or take another one. Nothing was changed.',
    retry: false,
  },
  BACKUP_NEWER: {
    what: 'The back-up was made by a newer Ginnel.',
    why: 'It has format {found}; this Ginnel knows up to {known}.',
    todo: 'Install the newer Ginnel here. Nothing was changed.',
    retry: false,
  },
  BACKUP_PASSPHRASE: {
    what: 'The passphrase is not the one of this back-up.',
    why: 'The file is whole, and does not open with it.',
    todo: 'Try again. Nothing was changed.',
    retry: false,
  },
  BACKUP_FILE: {
    what: 'The back-up {file} could not be read or written.',
    why: '{problem}.',
    todo: 'Check the name and the room there.',
    retry: false,
  },
  BACKUP_EXISTS: {
    what: 'The file {file} is there already.',
    why: 'A back-up may be the only one left of a box, so none is overwritten by itself.',
    todo: 'Name another file, or say --force.',
    retry: false,
  },
  RESTORE_FAILED: {
    what: 'Nothing was restored; this box is as empty as before.',
    why: '{problem}.',
    todo: 'See that the disk is there and can be written, then try again.',
    retry: true,
  },
  RESTORE_UNFINISHED: {
    what: 'A back-up that was taken in could not be put in its place.',
    why: '{problem}.',
    todo: 'See that {folder} can be written, then start Ginnel again: it goes on from there.',
    retry: true,
  },
});

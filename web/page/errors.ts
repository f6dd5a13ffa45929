// What the page itself refuses.
import { defineErrors } from '../../base/errors.ts';

export const pageErrors = defineErrors({
  PAGE_HOST: {
    what: 'This page is not shown under the name {host}.',
    why: 'A name that this box does not know may be a trick of another site to get at it through your browser.',
    todo: 'Open it by its address (ginnel page says it), or, if the name is yours, allow it: sudo ginnel set page-names {host}.',
    retry: false,
  },
  PAGE_CROSS_SITE: {
    what: 'The request was refused.',
    why: 'It did not come from this page itself.',
    todo: 'Open the page again and try again there.',
    retry: false,
  },
  PAGE_BODY_TYPE: {
    what: 'The request was refused.',
    why: 'Its Content-Type is not application/json.',
    todo: 'Send JSON, and say so; docs/openapi.yaml describes each request.',
    retry: false,
  },
  PAGE_SIGN_IN: {
    what: 'You are not signed in.',
    why: 'Nobody was, or it ended: by signing out, a changed password, or a week of silence.',
    todo: "Sign in with the owner's password.",
    retry: false,
  },
  PAGE_OWNER_NONE: {
    what: 'Nobody can sign in yet.',
    why: "The owner's password is not set.",
    todo: 'Set it on the page; ginnel page on this box says how.',
    retry: false,
  },
  PAGE_OWNER_SET: {
    what: "The owner's password is set already.",
    why: 'It is set once, at the first visit.',
    todo: 'Sign in with it. If it was not you who set it, or it is forgotten: sudo ginnel page reset-password.',
    retry: false,
  },
  PAGE_PASSWORD_WRONG: {
    what: 'That is not the password.',
    why: 'It differs from the one that was set.',
    todo: 'Try again; if it is forgotten, on this box: sudo ginnel page reset-password.',
    retry: false,
  },
  PAGE_PASSWORD_SHORT: {
    what: 'That password cannot be used.',
    why: 'It has fewer than {least} characters.',
    todo: 'Choose a longer one: a few words are easy to keep in mind.',
    retry: false,
  },
  PAGE_CODE: {
    what: 'The code for the first visit is missing or wrong.',
    why: 'Who is not in this home network, or has another name for this box, shows by the code that the box is theirs.',
    todo: 'Run on this box: sudo ginnel page. It prints the code.',
    retry: false,
  },
  PAGE_TRIES: {
    what: 'Please wait {seconds} s.',
    why: '{problem}.',
    todo: 'Then try again; from another device it may work at once.',
    retry: true,
  },
  PAGE_BUSY: {
    what: 'This page is open too often.',
    why: 'There are {most} windows of it, or connections to it, already.',
    todo: 'Close some of them.',
    retry: true,
  },
  PAGE_TLS: {
    what: 'The request was refused.',
    why: 'This page is served by HTTPS alone.',
    todo: 'Open it by https://, and do it there.',
    retry: false,
  },
  PAGE_SESSION_UNKNOWN: {
    what: 'Nobody is signed in by that number.',
    why: 'It ended already.',
    todo: 'Load the list anew.',
    retry: false,
  },
  PAGE_NOT_BUILT: {
    what: 'The page is not here.',
    why: 'Its files are missing from this installation.',
    todo: 'Reinstall Ginnel, or build it: npm run build. Until then the command does everything: ginnel help.',
    retry: false,
  },
  PAGE_NO_FILE: {
    what: 'There is nothing here.',
    why: 'This box has no page of that address.',
    todo: 'Start at the front: /.',
    retry: false,
  },
});

// What can stand between this plugin and its work; its report carries the codes.
import { defineErrors } from '../../base/errors.ts';

export const webrtcErrors = defineErrors({
  WEBRTC_UDP_BLOCKED: {
    what: 'No WebRTC channel can be opened from here to other homes.',
    why: 'UDP does not get out of this network, and this kind of channel needs it, to TURN servers too.',
    todo: 'Nothing, where boxes that forward over TCP are at hand (relay-tcp). Or allow outgoing UDP.',
    retry: true,
  },
  WEBRTC_NO_STUN: {
    what: 'WebRTC channels reach boxes of the same network only.',
    why: 'The location server told no STUN address yet, so this box does not know its own address outside.',
    todo: 'Nothing: it goes on as soon as the location server is there.',
    retry: true,
  },
  WEBRTC_BAD_SETTINGS: {
    what: 'Some settings of webrtc are not used.',
    why: '{problem}.',
    todo: 'Correct them: ginnel plugins set webrtc NAME=VALUE.',
    retry: false,
  },
  WEBRTC_FAILED: {
    what: 'The WebRTC channel to {name} did not come about.',
    why: '{reason}.',
    todo: 'Other ways are tried meanwhile, and this one again later.',
    retry: true,
  },
});

// The webrtc plugin between homes, where there is a minute for it: webrtc-homes.ts.
import t from 'tap';

if (process.env['GINNEL_LONG'] === '1') await import('./webrtc-homes.ts');
else
  t.test('webrtc between homes', { skip: 'takes a minute: GINNEL_LONG=1 runs it' }, async () =>
    Promise.resolve(),
  );

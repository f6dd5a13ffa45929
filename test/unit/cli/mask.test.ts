import t from 'tap';
import { masked } from '../../../bin/daemon/mask.ts';

const report = {
  about: { version: '0.1.0', note: 'home.example.net:7443 stays here' },
  settings: { node: { server: ['home.example.net:7443'], name: 'attic-nas' } },
  plugins: [{ name: 'nat-stun', facts: { stunServer: 'stun.example.org:3478' } }],
  log: [
    { msg: 'Tried: home.example.net:7443: name not found; 203.0.113.9:7443: no answer.' },
    { msg: 'a box was seen', peer: 'old-laptop', address: '198.51.100.7' },
    { msg: 'old-laptop fell silent; old-laptops is another word; see plugin.json:12' },
  ],
};

t.test('names that only settings and the log know are masked too, the same one by the same word', t => {
  const text = JSON.stringify(masked(report, null, null));
  for (const told of ['home.example.net:7443:', 'attic-nas', '203.0.113.9', '198.51.100.7'])
    t.notOk(text.includes(told), told);
  const [first, second] = [...text.matchAll(/name-\d+/g)].map(([word]) => word);
  t.ok(first !== undefined && second !== undefined);
  t.match(text, /Tried: host-\d+:7443: name not found; ip4-1:7443/);
  t.match(text, /(name-\d+)","address":"ip4-2".*msg":"\1 fell silent; old-laptops is another word/);
  t.match(text, /host-\d+:3478/);
  t.match(text, /"nat-stun"/, 'plugins keep their names');
  t.match(text, /home\.example\.net:7443 stays here/, 'what describes the machine is left as it is');
  t.end();
});

// nat-stun through the kernel's own NATs: its verdict on every kind is coturn's.
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { NatReport } from '../../core/contract/nat-report.ts';
import { askCoturn, COTURN_TOOLS, startCoturn } from './coturn.ts';
import { buildLab } from './topology.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url, { tools: COTURN_TOOLS });

const KINDS = [
  'public',
  'full',
  'arc',
  'prc',
  'prcnp',
  'eimprcnp',
  'naive',
  'sym',
  'seq1',
  'seq2',
  'adm',
  'carrier',
];
const ASKER = fileURLToPath(new URL('nat-stun-asker.js', import.meta.url));
const MAPPING: Record<string, string> = {
  'endpoint-independent': 'EIM',
  'address-dependent': 'ADM',
  'address-and-port-dependent': 'APDM',
};
const FILTERING: Record<string, string> = {
  'endpoint-independent': 'EIF',
  'address-dependent': 'ADF',
  'address-and-port-dependent': 'APDF',
};

t.test("V6: nat-stun's verdict on every kind of NAT is coturn's", { timeout: 110_000 }, async t => {
  const lab = await buildLab({ homes: KINDS.map(kind => ({ kind })), server: { addresses: 2 } });
  t.teardown(() => lab.stop());
  await startCoturn(lab.server);
  const answers = await Promise.all(
    lab.homes.map(async ({ kind, host }) => {
      const { stdout } = await host.exec(`timeout 40 ${process.execPath} ${ASKER} 203.0.113.1:3478`, {
        timeoutMs: 45_000,
      });
      return { kind, report: JSON.parse(stdout) as NatReport, ...(await askCoturn(host)) };
    }),
  );
  for (const { kind, report, verdict, said } of answers) {
    t.equal(report.udp, 'yes', kind);
    const mapping = report.nat === 'no' ? 'none' : MAPPING[report.mapping];
    t.equal(mapping, verdict?.mapping, `${kind}: mapping`, { said, report });
    // Without a NAT coturn does not judge the filtering as a NAT's.
    if (mapping !== 'none')
      t.equal(FILTERING[report.filtering], verdict?.filtering, `${kind}: filtering`, { said, report });
    if (kind.startsWith('seq'))
      t.same(report.ports, { rule: 'sequential', step: Number(kind.slice(3)) }, kind);
    if (kind === 'prc') t.same(report.ports, { rule: 'preserved' }, kind);
  }
});

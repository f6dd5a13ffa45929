// What the page believes of the daemon's answers is what the daemon's own types say: held by the compiler, at the build.
import t from 'tap';
import type { NodeStatus, PeerWhy, PingEvent, PluginDetail } from '../../../core/admin.ts';
import type { SettingShown } from '../../../base/settings.ts';
import type {
  AuditShown,
  InviteSummary,
  IssuedInvite,
  NodesShown,
  RulesShown,
} from '../../../server/admin.ts';
import type { AccountSummary, CertificatesSummary, IssuedCertificate } from '../../../server/log-in-admin.ts';
import type { RelaysShown, RelaysWhy } from '../../../server/relays/admin.ts';
import type { MadeBackup, Restored } from '../../../web/backup-admin.ts';
import type * as Server from '../../../web/client/pure/wire-server.ts';
import type * as Wire from '../../../web/client/pure/wire.ts';
import type { LogLine } from '../../../web/daemon-admin.ts';
import type { PeerHistory, SpeedEvent } from '../../../web/peers-admin.ts';
import type { LiveState } from '../../../web/page/live.ts';

/** Does not compile where the first is not all that the second needs. */
type Fits<Told extends Believed, Believed> = Told;

export type Checked = [
  Fits<NodeStatus, Wire.NodeStatus>,
  Fits<PluginDetail, Wire.PluginDetail>,
  Fits<PeerWhy, Wire.Why>,
  Fits<PingEvent, Wire.PingEvent>,
  Fits<SettingShown, Wire.Setting>,
  Fits<LogLine, Wire.LogLine>,
  Fits<LiveState, Wire.Live>,
  Fits<PeerHistory, Wire.History>,
  Fits<SpeedEvent, Wire.SpeedEvent>,
  Fits<MadeBackup, Wire.MadeBackup>,
  Fits<Restored, Wire.Restored>,
  Fits<NodesShown, Server.NodesShown>,
  Fits<InviteSummary, Server.Invite>,
  Fits<IssuedInvite, Server.IssuedInvite>,
  Fits<AccountSummary, Server.Account>,
  Fits<CertificatesSummary, Server.Certificates>,
  Fits<IssuedCertificate, Server.IssuedCertificate>,
  Fits<RulesShown, Server.Rules>,
  Fits<RelaysShown, Server.Relays>,
  Fits<RelaysWhy, Server.RelaysWhy>,
  Fits<AuditShown, Server.AuditEntry>,
];

t.test('the types were checked when this was compiled', async t => t.pass());

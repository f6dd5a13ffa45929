// Calls of one service of a UPnP gateway. Nothing is ever subscribed to: an event's address would be one more that the gateway
// is told to send to.
import { decodeSoap, encodeSoap, type IgdService, type SoapArguments } from '../../protocol/portmap/igd.ts';
import { askHttp } from './http.ts';
import { refuse, type Ground } from './protocol.ts';

/** Routers write their rules to flash while they are asked. */
const CALL_MS = 3_000;

/** `silent`: no answer that makes sense. */
export type Called = { readonly kind: 'silent' } | NonNullable<ReturnType<typeof answerOf>>;

export async function call(
  ground: Ground,
  { type, control }: IgdService,
  action: string,
  args: SoapArguments,
  signal?: AbortSignal,
): Promise<Called> {
  const post = {
    body: encodeSoap(type, action, args),
    headers: { 'content-type': 'text/xml; charset="utf-8"', soapaction: `"${type}#${action}"` },
  };
  const ask = { place: control, withinMs: CALL_MS, post, statuses: [200, 500] };
  const body = await askHttp(ground, ask, signal);
  return (body === null ? null : answerOf(ground, body, action)) ?? { kind: 'silent' };
}

function answerOf(ground: Ground, body: string, action: string) {
  const answer = decodeSoap(body, action);
  if (!answer.ok) refuse(ground, answer.code);
  return answer.ok ? answer.value : null;
}

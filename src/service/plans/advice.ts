/** Advice over the contract, with the destinations that are connected. */
import type { AdviceProposal, AdviceReason } from '../../contract/advice.ts';
import type { Destination } from '../../contract/destination.ts';
import { kindOf } from '../../storage/place.ts';
import { adviceText } from '../schedule/advice-text.ts';
import { type Advice, advise, type KnownDestination, type PlaceKind, type Wishes } from '../schedule/advise.ts';

/** As far as its place tells: nobody knows where a server stands. */
export function placeKind({ place, volume }: Destination): PlaceKind {
  const kind = kindOf(place)?.kind ?? 'local';
  if (kind === 'local') return volume ? 'external' : 'computer';
  return kind === 'sftp' || kind === 'webdav' || kind === 'rest' ? 'server' : 'remote';
}

export function proposalFor(
  wishes: Omit<Wishes, 'destinations'> & { readonly destinations?: readonly KnownDestination[] | undefined },
  connected: readonly Destination[],
): AdviceProposal {
  const destinations = wishes.destinations ?? connected.map((each) => ({ id: each.id, kind: placeKind(each) }));
  const { schedule, scheduleReasons, destinations: proposed } = advise({ ...wishes, destinations });
  return {
    schedule,
    reasons: scheduleReasons.map(reasonOf),
    destinations: proposed.map(({ id, kind, role, reasons }) => ({ id: id ?? null, kind, role, reasons: reasons.map(reasonOf) })),
  };
}

function reasonOf(advice: Advice): AdviceReason {
  const { code, ...figures } = advice;
  return { code, figures, text: adviceText(advice) };
}

/** How a destination is, in words. */
import type { DestinationState } from '../../contract/destination.ts';
import { formatBytes } from '../../platform/sizes.ts';
import { formatMoment } from '../dates.ts';

export function stateText(now: DestinationState): string {
  switch (now.state) {
    case 'unknown':
      return 'not asked yet';
    case 'connected':
      return now.freeBytes === undefined ? 'connected' : `connected, ${formatBytes(now.freeBytes)} free`;
    case 'not-plugged-in':
      return `not plugged in since ${formatMoment(now.since)}`;
    case 'failing':
      return `failing since ${formatMoment(now.since)}: ${now.message}`;
  }
}

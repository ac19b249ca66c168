/** Waits until the service's catalogue is as the repositories are. */
import type { CatalogueProgress, CatalogueState } from '../../src/contract/catalogue.ts';
import type { RunningService } from './service.ts';

/** The state once it is so. */
export async function catalogueOnce(
  { client }: Pick<RunningService, 'client'>,
  isSo: (state: CatalogueState) => boolean,
): Promise<CatalogueState> {
  const stop = new AbortController();
  try {
    for await (const state of await client.catalogue.watch(undefined, { signal: stop.signal })) if (isSo(state)) return state;
    throw new Error('the catalogue ended');
  } finally {
    stop.abort();
  }
}

/** Looks at all destinations, and waits until each is as `isSo`; default: complete, with so many snapshots. */
export async function catalogued(service: Pick<RunningService, 'client'>, snapshots: number): Promise<CatalogueState> {
  await service.client.catalogue.refresh({});
  const isDone = (each: CatalogueProgress): boolean => each.state === 'complete' && each.snapshots === snapshots;
  return catalogueOnce(service, ({ destinations }) => destinations.every(isDone));
}

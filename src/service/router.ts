/** What the contract's procedures do. */
import { implement, type Router } from '@orpc/server';
import { fail } from '../contract/errors.ts';
import { contract, protocolVersion } from '../contract/procedures.ts';
import { nextTurn } from '../platform/clock.ts';
import { capacityHandlers } from './api/capacity.ts';
import { careHandlers } from './api/care.ts';
import { copyHandlers } from './api/copies.ts';
import { filesHandlers } from './api/files.ts';
import { moveHandlers } from './api/moves.ts';
import { repositoryHandlers } from './api/repositories.ts';
import { restoreHandlers } from './api/restores.ts';
import { previewHandlers } from './api/previews.ts';
import { factsHandlers } from './api/facts.ts';
import { watchingHandlers } from './api/watching.ts';
import { browseHandlers, snapshotHandlers } from './api/snapshots.ts';
import type { Logins } from './logins.ts';
import { catalogueRouter } from './catalogue/router.ts';
import { proposalFor } from './plans/advice.ts';
import { inputOf } from './plans/plan-file.ts';
import type { Service } from './service.ts';

/** Where a request comes from: `local` is the private socket, which only programs of the same person reach. */
export interface Caller {
  readonly via: 'local' | 'browser';
}

export interface RouterOptions {
  readonly version: string;
  readonly logins: Logins;
  /** Called when a client wants the service to end. */
  readonly onStop: () => void;
}

export type ServiceRouter = Router<typeof contract, Caller>;

export function makeRouter(service: Service, { version, logins, onStop }: RouterOptions): ServiceRouter {
  const os = implement(contract).$context<Caller>();
  const news = os.machine.use(({ context, next }) => (context.via === 'local' ? next() : fail('local-only')));
  const local = os.logins.use(({ context, next }) => (context.via === 'local' ? next() : fail('local-only')));
  const { state, destinations, desk, plans } = service;
  return os.router({
    service: {
      info: os.service.info.handler(() => ({
        version,
        protocol: protocolVersion,
        pid: process.pid,
        startedAt: service.startedAt,
        profile: service.profile.folder,
        isWatched: service.isWatched,
      })),
      // The answer goes first.
      stop: os.service.stop.handler(() => void nextTurn().then(onStop)),
    },
    advice: os.advice.handler(({ input }) => proposalFor(input, state.destinations())),
    state: os.state.handler(() => service.overview.whole()),
    events: os.events.handler(({ input, signal }) => service.events.subscribe(input.since, signal)),
    settings: { change: os.settings.change.handler(({ input }) => service.changeSettings(input)) },
    destinations: {
      connect: os.destinations.connect.handler(({ input }) => destinations.connect(input)),
      rename: os.destinations.rename.handler(({ input }) => destinations.rename(input.id, input.name)),
      renew: os.destinations.renew.handler(({ input: { id, ...renewed } }) => destinations.renew(id, renewed)),
      look: os.destinations.look.handler(({ input }) => destinations.look(input.id)),
      remove: os.destinations.remove.handler(({ input }) => destinations.remove(input.id)),
    },
    drives: { list: os.drives.list.handler(() => service.drives.mounted()) },
    plans: {
      create: os.plans.create.handler(({ input }) => plans.create(input)),
      change: os.plans.change.handler(({ input }) => plans.change(input.id, input.plan)),
      setEnabled: os.plans.setEnabled.handler(({ input: { id, enabled } }) => plans.change(id, { ...inputOf(state.plan(id)), enabled })),
      remove: os.plans.remove.handler(({ input }) => plans.remove(input.id, input.data)),
      export: os.plans.export.handler(({ input }) => plans.export(input.ids)),
      import: os.plans.import.handler(({ input }) => plans.import(input.file)),
    },
    runs: {
      list: os.runs.list.handler(({ input }) => {
        const runs = state.runs.list(input);
        return { runs, next: runs.length === input.limit ? runs.at(-1)!.id : null };
      }),
      get: os.runs.get.handler(({ input }) => state.runs.get(input.id)),
      log: os.runs.log.handler(({ input: { id, after, limit } }) => state.runs.logOf(id, after, limit)),
      problems: os.runs.problems.handler(({ input: { id, after, limit } }) => state.runs.problemsOf(id, after, limit)),
      start: os.runs.start.handler(({ input }) => service.startRun(input.plan, input.destination, input.strategy)),
      cancel: os.runs.cancel.handler(({ input }) => desk.cancel(input.id)),
      pause: os.runs.pause.handler(({ input }) => desk.pause(input.id)),
      resume: os.runs.resume.handler(({ input }) => desk.resume(input.id)),
    },
    catalogue: catalogueRouter({ keeper: service.catalogue, state, leftOut: service.leftOut }),
    recovery: {
      look: os.recovery.look.handler(({ input }) => service.recovery.look(input.destination)),
      take: os.recovery.take.handler(({ input }) => service.recovery.take(input.destination, input.snapshot)),
    },
    pause: {
      set: os.pause.set.handler(({ input: { for: span } }) =>
        service.scheduling.pauseFor(
          span === 'resumed'
            ? { kind: 'until-resumed' }
            : span === 'tomorrow'
              ? { kind: 'tomorrow' }
              : { kind: 'for', milliseconds: span.minutes * 60_000 },
        ),
      ),
      clear: os.pause.clear.handler(() => service.scheduling.resume()),
    },
    machine: { tell: news.tell.handler(({ input }) => service.machineNews(input.news)) },
    logins: {
      list: local.list.handler(() => logins.list()),
      add: local.add.handler(({ input }) => logins.add(input.name, input.password)),
      remove: local.remove.handler(({ input }) => logins.remove(input.name)),
      revoke: local.revoke.handler(({ input }) => ({ ended: logins.revoke(input.name) })),
    },
    ...careHandlers(service.care),
    ...snapshotHandlers(service.app, () => service.catalogue.warm()),
    ...browseHandlers(service.app),
    ...restoreHandlers(service.app),
    ...factsHandlers(service.app),
    ...previewHandlers(service.app),
    ...watchingHandlers(state, service.defects),
    ...filesHandlers(service.app),
    ...repositoryHandlers(service.app, version),
    ...capacityHandlers(service.capacities),
    ...moveHandlers(service.moves),
    ...copyHandlers(service.copies),
  });
}

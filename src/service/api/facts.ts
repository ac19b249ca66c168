/** What the procedures about the first screen and the history do. */
import { implement } from '@orpc/server';
import { historyContract } from '../../contract/history.ts';
import { homeContract } from '../../contract/home.ts';
import type { App } from '../app.ts';
import type { Caller } from '../router.ts';

// The types are written by the library.
export function factsHandlers({ home, history }: App) {
  return {
    home: {
      facts: implement(homeContract)
        .$context<Caller>()
        .home.facts.handler(() => home.facts()),
    },
    history: {
      figures: implement(historyContract)
        .$context<Caller>()
        .history.figures.handler(({ input }) => history(input)),
    },
  };
}

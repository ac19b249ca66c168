import { Button } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { HomeFacts } from '../../../src/contract/home.ts';
import type { State } from '../../../src/contract/state.ts';
import { api } from '../../api.ts';
import { useLive } from '../../live.ts';
import { attempt } from '../../ui/messages.ts';
import { startBackup } from '../runs/start.ts';

type Act = NonNullable<HomeFacts['action']>;

interface ActButtonProps {
  readonly facts: HomeFacts;
  readonly state: State;
}

/** The one button: what helps most now, and a backup when nothing needs help. */
export function ActButton({ facts, state }: ActButtonProps) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const [isBusy, setBusy] = useState(false);
  const isOpen = useLive(({ connection }) => connection === 'open');
  const wanted = facts.action ?? backUpAll;
  const isRunning = state.runs.some(({ kind, plan }) => kind === 'backup' && (wanted.plan === null || plan === wanted.plan));
  // While it works there is nothing to add; the plan's row has the means to stop it.
  if (wanted.code === 'back-up-now' && isRunning) return null;
  const where = addressOf(wanted);
  const act = async (): Promise<void> => {
    if (where !== undefined) return go(where);
    setBusy(true);
    await attempt(() => carryOut(wanted, state));
    setBusy(false);
  };
  return (
    <Button onClick={() => void act()} loading={isBusy} disabled={!isOpen}>
      {t(`home.act.${wanted.code}`)}
    </Button>
  );
}

const backUpAll: Act = { code: 'back-up-now', plan: null, destination: null, run: null };

/** The screen that the act is done at; undefined for what is done here. */
function addressOf({ code, destination, run }: Act): string | undefined {
  switch (code) {
    case 'create-plan':
      return '/welcome';
    case 'enter-password':
    case 'look-at-destination':
    case 'free-space':
      return destination === null ? '/destinations' : `/destinations/${destination}`;
    case 'look-at-run':
      return run === null ? '/history' : `/history/run/${run}`;
    case 'look-at-alarm':
      return '/history';
    case 'save-kit':
      return destination === null ? '/destinations' : `/kit/${destination}`;
    case 'test-restore':
      return '/restore';
    case 'back-up-now':
    case 'plug-in':
    case 'resume':
    case 'switch-on':
      return undefined;
  }
}

async function carryOut({ code, plan, destination }: Act, { plans, runs }: State): Promise<void> {
  if (code === 'resume') await api.pause.clear();
  else if (code === 'switch-on' && plan !== null) await api.plans.setEnabled({ id: plan, enabled: true });
  else if (code === 'plug-in' && destination !== null) await lookAndStart(destination, plan);
  else {
    const wanted = plan === null ? plans.filter((each) => each.enabled) : plans.filter(({ id }) => id === plan);
    const idle = wanted.filter(({ id }) => !runs.some((run) => run.plan === id && run.kind === 'backup'));
    for (const { id } of idle) await startBackup({ plan: id });
  }
}

/** A run that still finds it away says so. */
async function lookAndStart(destination: string, plan: string | null): Promise<void> {
  await api.destinations.look({ id: destination });
  if (plan !== null) await startBackup({ plan, destination });
}

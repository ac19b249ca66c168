import { Button, Checkbox, Select } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { api } from '../../api.ts';
import { useService } from '../../live.ts';
import { FormDialog } from '../../ui/FormDialog.tsx';
import { say } from '../../ui/messages.ts';

/** Lets a plan use another destination in place of one of its own, with its snapshots; the run shows how far it is. */
export function MovePlan({ id, name }: { readonly id: string; readonly name: string }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const plan = useService((state) => state.plans)?.find((each) => each.id === id);
  const destinations = useService((state) => state.destinations) ?? [];
  const [isOpen, setOpen] = useState(false);
  const [from, setFrom] = useState<string | null>(null);
  const [to, setTo] = useState<string | null>(null);
  const [forgetOld, setForgetOld] = useState(false);
  if (!plan || destinations.length < 2) return null;
  const own = plan.destinations.map(({ destination }) => destination);
  const leave = from ?? plan.destinations.find(({ role }) => role === 'primary')?.destination ?? null;
  const named = (ids: readonly string[]) =>
    destinations.filter((each) => ids.includes(each.id)).map((each) => ({ value: each.id, label: each.name }));
  const others = destinations.map((each) => each.id).filter((each) => each !== leave);
  return (
    <>
      <Button mt="lg" variant="default" onClick={() => setOpen(true)}>
        {t('capacity.planMove.act')}
      </Button>
      <FormDialog
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        title={t('capacity.planMove.title', { name })}
        verb={t('capacity.planMove.verb')}
        isReady={leave !== null && to !== null && to !== leave}
        act={async () => {
          const run = await api.moves.plan({ plan: id, from: leave!, to: to!, forgetOld });
          say(t('capacity.planMove.begun', { name }));
          go(`/history/run/${run.id}`);
        }}
      >
        <p className="secondary">{t('capacity.planMove.text')}</p>
        <Select mt="md" label={t('capacity.planMove.from')} data={named(own)} value={leave} allowDeselect={false} onChange={setFrom} />
        <Select mt="md" label={t('capacity.planMove.to')} data={named(others)} value={to === leave ? null : to} onChange={setTo} />
        <Checkbox
          mt="md"
          label={t('capacity.planMove.forgetOld')}
          description={t('capacity.planMove.forgetOldText')}
          checked={forgetOld}
          onChange={(event) => setForgetOld(event.currentTarget.checked)}
        />
      </FormDialog>
    </>
  );
}

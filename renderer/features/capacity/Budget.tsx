import { Button, NumberInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Budget, BudgetState as State } from '../../../src/contract/capacity.ts';
import { api } from '../../api.ts';
import { useNow } from '../../clock.ts';
import { bytes } from '../../ui/format.ts';
import { FormDialog } from '../../ui/FormDialog.tsx';
import { StateWord } from '../../ui/StateDot.tsx';
import { amount, spanWords } from './words.ts';

const gb = 1e9;

/** How a budget stands. */
export function BudgetState({ state: { unit, used, limit, currency, level, passedAt } }: { readonly state: State }) {
  const { t } = useTranslation();
  const now = useNow();
  const said = (value: number): string => (unit === 'bytes' ? bytes(value) : amount(value, currency ?? ''));
  const figures = t(unit === 'bytes' ? 'capacity.budget.of' : 'capacity.budget.ofMoney', { used: said(used), limit: said(limit) });
  const soon = passedAt === null ? '' : ` · ${t('capacity.budget.passedIn', { span: spanWords(passedAt - now) })}`;
  return <StateWord state={level === 'fine' ? 'fine' : 'attention'}>{`${figures}: ${t(`capacity.budget.${level}`)}${soon}`}</StateWord>;
}

interface BudgetFormProps {
  readonly destination: string;
  readonly budget: Budget;
  /** Undefined while it is not known what is paid. */
  readonly currency: string | undefined;
  readonly onChange: () => void;
}

const numberOf = (value: string | number): number | null => {
  const number = typeof value === 'number' ? value : Number.parseFloat(value);
  return Number.isFinite(number) && number > 0 ? number : null;
};

/** What a destination may hold and cost. */
export function BudgetForm({ destination, budget, currency, onChange }: BudgetFormProps) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const [size, setSize] = useState<string | number>('');
  const [money, setMoney] = useState<string | number>('');
  const open = (): void => {
    setSize(budget.bytes === null ? '' : budget.bytes / gb);
    setMoney(budget.money?.amount ?? '');
    setOpen(true);
  };
  const save = async (): Promise<void> => {
    const [gigabytes, sum] = [numberOf(size), numberOf(money)];
    const wanted: Budget = {
      bytes: gigabytes === null ? null : Math.max(1, Math.round(gigabytes * gb)),
      money: sum === null || currency === undefined ? null : { amount: sum, currency },
    };
    await api.capacity.setBudget({ destination, budget: wanted });
    onChange();
  };
  return (
    <>
      <Button variant="default" onClick={open}>
        {t('capacity.budget.act')}
      </Button>
      <FormDialog
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        title={t('capacity.budget.title')}
        verb={t('capacity.budget.verb')}
        isReady
        act={save}
      >
        <p className="secondary">{t('capacity.budget.text')}</p>
        <NumberInput mt="md" label={t('capacity.budget.bytes')} min={0} value={size} onChange={setSize} data-autofocus />
        <NumberInput
          mt="md"
          label={t('capacity.budget.money', { currency: currency ?? 'USD' })}
          description={currency === undefined ? t('capacity.budget.moneyText') : t('capacity.budget.empty')}
          disabled={currency === undefined}
          min={0}
          value={money}
          onChange={setMoney}
        />
      </FormDialog>
    </>
  );
}

import { NumberInput, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Price, priceSchema, type PriceView } from '../../../src/contract/cost.ts';
import { api } from '../../api.ts';
import { FormDialog } from '../../ui/FormDialog.tsx';
import styles from './Prices.module.css';
import { priceName } from './words.ts';

interface PriceFormProps {
  /** Undefined: a new one. */
  readonly price: PriceView | undefined;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

const texts = ['provider', 'name', 'currency', 'asOf'] as const;
const amounts = [
  'storage',
  'writes',
  'reads',
  'retrieval',
  'egress',
  'freeEgressGb',
  'freeEgressTimes',
  'freeStorageGb',
  'minimumDays',
  'minimumObjectBytes',
  'minimumMonthly',
] as const;

const blank: Omit<Price, 'id'> = {
  provider: '',
  name: '',
  currency: 'USD',
  gb: 'decimal',
  storage: 0,
  writes: 0,
  reads: 0,
  retrieval: 0,
  egress: 0,
  freeEgressGb: 0,
  freeEgressTimes: 0,
  freeStorageGb: 0,
  minimumDays: 0,
  minimumObjectBytes: 0,
  minimumMonthly: 0,
  asOf: '',
};

/** Every field of a price. */
export function PriceForm({ price, onClose, onSaved }: PriceFormProps) {
  const { t } = useTranslation();
  const [{ origin: _, ...draft }, setDraft] = useState<Price & { origin?: string }>(
    () => price ?? { ...blank, id: `own-${crypto.randomUUID().slice(0, 8)}` },
  );
  const set = (change: Partial<Price>): void => setDraft({ ...draft, ...change });
  const { success } = priceSchema.safeParse(draft);
  return (
    <FormDialog
      isOpen
      onClose={onClose}
      title={price ? t('capacity.prices.change', { name: priceName(price) }) : t('capacity.prices.add')}
      verb={t('capacity.prices.save')}
      isReady={success}
      act={async () => {
        await api.prices.set(draft);
        onSaved();
      }}
    >
      <div className={styles.fields}>
        {texts.map((field) => (
          <TextInput
            key={field}
            label={t(`capacity.prices.field.${field}`)}
            value={draft[field]}
            spellCheck={false}
            onChange={(event) =>
              set({ [field]: field === 'currency' ? event.currentTarget.value.toUpperCase() : event.currentTarget.value })
            }
          />
        ))}
        <Select
          label={t('capacity.prices.field.gb')}
          data={(['decimal', 'binary'] as const).map((value) => ({ value, label: t(`capacity.prices.${value}`) }))}
          value={draft.gb}
          allowDeselect={false}
          onChange={(next) => next !== null && set({ gb: next as Price['gb'] })}
        />
        {amounts.map((field) => (
          <NumberInput
            key={field}
            label={t(`capacity.prices.field.${field}`)}
            min={0}
            value={draft[field]}
            onChange={(next) => set({ [field]: typeof next === 'number' ? next : 0 })}
          />
        ))}
      </div>
    </FormDialog>
  );
}

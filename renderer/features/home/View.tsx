import { useTranslation } from 'react-i18next';
import { useService } from '../../live.ts';
import { Bones } from '../../ui/Bones.tsx';
import { Page } from '../../ui/Page.tsx';

/** The first screen: are my files safe? */
export default function Home() {
  const { t } = useTranslation();
  const plans = useService((state) => state.plans);
  return (
    <Page place={t('frame.place.home')}>
      {plans ? (
        <ul>
          {plans.map(({ id, name }) => (
            <li key={id}>{name}</li>
          ))}
        </ul>
      ) : (
        <Bones />
      )}
    </Page>
  );
}

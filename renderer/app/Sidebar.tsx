import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { useLive, useService } from '../live.ts';
import { moment } from '../ui/format.ts';
import { StateDot, type Condition } from '../ui/StateDot.tsx';
import { useNow } from '../clock.ts';
import { type Place, type PlaceName, places } from './places.ts';
import styles from './Sidebar.module.css';

/** The places, and at the foot the settings with what the service does. On a narrow screen a bar at the bottom. */
export function Sidebar({ at }: { readonly at: PlaceName | undefined }) {
  const { t } = useTranslation();
  const main = places.filter(({ name }) => name !== 'settings');
  const settings = places.find(({ name }) => name === 'settings');
  return (
    <nav className={styles.side} aria-label={t('frame.places')}>
      <div className={styles.brand}>{t('frame.brand')}</div>
      <ul className={styles.places}>
        {main.map((place) => (
          <Entry key={place.name} place={place} isHere={place.name === at} />
        ))}
      </ul>
      <ul className={styles.foot}>{settings ? <Entry place={settings} isHere={at === 'settings'} /> : null}</ul>
      <ServiceState />
    </nav>
  );
}

function Entry({ place: { name, path, icon: Icon }, isHere }: { readonly place: Place; readonly isHere: boolean }) {
  const { t } = useTranslation();
  return (
    <li>
      <Link href={path} className={styles.entry} aria-current={isHere ? 'page' : undefined}>
        <Icon size={18} strokeWidth={1.9} aria-hidden />
        <span>{t(`frame.place.${name}`)}</span>
      </Link>
    </li>
  );
}

function ServiceState() {
  const { t } = useTranslation();
  const now = useNow();
  const connection = useLive((live) => live.connection);
  const running = useService(({ runs }) => runs.filter(({ status }) => status === 'running').length) ?? 0;
  const pause = useService((state) => state.pause);
  let state: Condition = 'fine';
  let text = t('frame.service.idle');
  if (connection === 'connecting') [state, text] = ['idle', t('frame.service.connecting')];
  else if (connection !== 'open') [state, text] = ['attention', t('frame.service.away')];
  else if (running > 0) [state, text] = ['working', t('frame.service.running', { count: running })];
  else if (pause) {
    state = 'paused';
    text = pause.until === null ? t('frame.service.paused') : t('frame.service.pausedUntil', { time: moment(pause.until, now) });
  }
  return (
    <div className={styles.state} role="status">
      <StateDot state={state} size={14} isDecorative />
      <span>{text}</span>
    </div>
  );
}

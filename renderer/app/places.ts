/** Where one can be. Home is there at once; each other screen is loaded when it is first gone to. */
import { lazy } from 'react';
import { ArchiveRestore, CalendarClock, FolderHeart, HardDrive, House, type LucideIcon, Settings } from 'lucide-react';
import Home from '../features/home/View.tsx';

export type PlaceName = 'home' | 'restore' | 'history' | 'plans' | 'destinations' | 'settings';

export interface Place {
  readonly name: PlaceName;
  /** Behind the `#` of the address; what is below belongs to the place too. */
  readonly path: string;
  readonly icon: LucideIcon;
  readonly View: React.ComponentType;
}

/** Screens that stand in no list of places. */
export const KitView = lazy(() => import('../features/kit/View.tsx'));
export const ProtectedView = lazy(() => import('../features/protected/View.tsx'));
/** Without the frame, in the whole window. */
export const FirstRun = lazy(() => import('../features/first-run/View.tsx'));

/** In the order of the sidebar; settings stand at its foot. */
export const places: readonly Place[] = [
  { name: 'home', path: '/', icon: House, View: Home },
  { name: 'restore', path: '/restore', icon: ArchiveRestore, View: lazy(() => import('../features/restore/View.tsx')) },
  { name: 'history', path: '/history', icon: CalendarClock, View: lazy(() => import('../features/history/View.tsx')) },
  { name: 'plans', path: '/plans', icon: FolderHeart, View: lazy(() => import('../features/plans/View.tsx')) },
  { name: 'destinations', path: '/destinations', icon: HardDrive, View: lazy(() => import('../features/destinations/View.tsx')) },
  { name: 'settings', path: '/settings', icon: Settings, View: lazy(() => import('../features/settings/View.tsx')) },
];

/** The place that an address belongs to. */
export const placeAt = (path: string): Place | undefined =>
  places.find((place) => path === place.path || (place.path !== '/' && path.startsWith(`${place.path}/`)));

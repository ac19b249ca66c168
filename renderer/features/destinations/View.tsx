import { useLocation } from 'wouter';
import { AddDestination } from './AddDestination.tsx';
import { DestinationList } from './DestinationList.tsx';
import { DestinationPage } from './DestinationPage.tsx';

/** Where backups go. */
export default function Destinations() {
  const [path] = useLocation();
  if (path === '/destinations/add') return <AddDestination />;
  const id = /^\/destinations\/([0-9a-z-]+)$/.exec(path)?.[1];
  return id === undefined ? <DestinationList /> : <DestinationPage key={id} id={id} />;
}

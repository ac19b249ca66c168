import { useLocation } from 'wouter';
import { AddDestination } from './AddDestination.tsx';
import { DestinationList } from './DestinationList.tsx';
import { DestinationPage } from './DestinationPage.tsx';

/** Where backups go. */
export default function Destinations() {
  const [path] = useLocation();
  const [isAdding, plan, kind] = /^\/destinations\/add(?:\/for\/([0-9a-z-]+)\/(folder|server))?$/.exec(path) ?? [];
  if (isAdding !== undefined) return <AddDestination key={path} plan={plan} beginsWith={kind === 'server' ? 'server' : 'folder'} />;
  const id = /^\/destinations\/([0-9a-z-]+)$/.exec(path)?.[1];
  return id === undefined ? <DestinationList /> : <DestinationPage key={id} id={id} />;
}

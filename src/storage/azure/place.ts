/** Where a repository lies in Azure's Blob Storage, as restic writes it: `azure:container:/prefix`. */
import { fail } from '../../contract/errors.ts';
import { checkPrefix } from '../objects/keys.ts';

export interface AzurePlace {
  readonly container: string;
  /** Without `/` at either end; '' for the whole container. */
  readonly prefix: string;
}

/** Azure's own rule. ($root, which it reserves, holds no names with a slash.) */
const containerName = /^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

/** Azure takes a backslash for a slash, drops a dot at the end of a part, and lists names otherwise that XML cannot hold. */
const unfit = /\\|\.(?:\/|$)|[\ufffe\uffff]/;

const example = 'Write it as azure:CONTAINER:/PATH, for example azure:my-backups:/laptop.';

/** `address`: what stands behind `azure:`. Throws `bad-usage`, which repeats nothing of it. */
export function parseAzurePlace(address: string): AzurePlace {
  const [, container = '', path] = /^([^:/]*)(?::(.*))?$/s.exec(address) ?? [];
  if (container === '' || path === undefined)
    return fail('bad-usage', { problem: 'The Azure destination does not name a container and a path.', guidance: example });
  if (!containerName.test(container))
    return fail('bad-usage', { problem: 'The Azure destination names a container as none can be called.', guidance: example });
  const prefix = checkPrefix(path, example);
  if (unfit.test(prefix))
    return fail('bad-usage', {
      problem: 'The path in an Azure container cannot have backslashes, nor parts that end with a dot.',
      guidance: example,
    });
  return { container, prefix };
}

/** As a person would recognise it; it can be given to --repo again. */
export const azureLocation = ({ container, prefix }: AzurePlace): string => `azure:${container}:/${prefix}`;

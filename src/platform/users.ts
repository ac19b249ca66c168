/**
 * Names of users and groups by number and back, from /etc/passwd and /etc/group alone, as restic's static build does (Go's os/user
 * without cgo): accounts of directory services (LDAP, NIS) have no name here, which is what restic stores for them too.
 */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';

/** One file's accounts, both ways. The first line for a number or a name counts. */
class Accounts {
  readonly #names = new Map<number, string>();
  readonly #ids = new Map<string, number>();

  add(name: string, id: number): void {
    if (!this.#names.has(id)) this.#names.set(id, name);
    if (!this.#ids.has(name)) this.#ids.set(name, id);
  }

  name(id: number): string {
    return this.#names.get(id) ?? '';
  }

  id(name: string): number | undefined {
    return this.#ids.get(name);
  }
}

/** Fields of a line: passwd has 7 (name, password, uid, gid, comment, home, shell), group 4 (name, password, gid, members). */
type FieldCount = 7 | 4;

/**
 * The accounts in the text of /etc/passwd (7 fields) or /etc/group (4). As Go does, it skips blank lines, comments, lines with too few
 * fields or with ids that are no numbers, and NIS lines (`+…`, `-…`).
 */
function parseAccounts(text: string, fieldCount: FieldCount): Accounts {
  const accounts = new Accounts();
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const fields = line.split(':');
    const [name, , id, second] = fields as [string, string, string, string];
    if (fields.length < fieldCount || name === '' || name.startsWith('+') || name.startsWith('-')) continue;
    if (!isNumber(id) || (fieldCount === 7 && !isNumber(second))) continue;
    accounts.add(name, Number(id));
  }
  return accounts;
}

const isNumber = (field: string): boolean => /^\d{1,10}$/.test(field);

export interface UserNames {
  /** The name of user `uid`, '' when it has none. */
  userName(uid: number): string;
  /** The name of group `gid`, '' when it has none. */
  groupName(gid: number): string;
  /** The number of the user `name`; undefined when there is none. */
  userId(name: string): number | undefined;
  /** The number of the group `name`; undefined when there is none. */
  groupId(name: string): number | undefined;
}

/** Names from the given files, which are read now; one that cannot be read holds no account. */
export function readUserNames(passwdFile: string, groupFile: string): UserNames {
  const users = parseAccounts(readText(passwdFile), 7);
  const groups = parseAccounts(readText(groupFile), 4);
  // macOS keeps people's accounts in its directory service; the one that matters most is known to the process itself.
  if (process.platform === 'darwin') addOwnAccount(users);
  return {
    userName: (uid) => users.name(uid),
    groupName: (gid) => groups.name(gid),
    userId: (name) => users.id(name),
    groupId: (name) => groups.id(name),
  };
}

function addOwnAccount(users: Accounts): void {
  try {
    const { username, uid } = userInfo();
    users.add(username, uid);
  } catch {
    // A process may run under a number that belongs to no account.
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

let cached: UserNames | undefined;

/** This computer's names; its files are read at the first call, once a thread. On Windows there are none. */
export function systemUserNames(): UserNames {
  cached ??= readUserNames('/etc/passwd', '/etc/group');
  return cached;
}

/** The names under which Holdfast's secrets stand in the keychain. They are seen by people and by other programs. */
import type { SecretName } from './keychain.ts';

export const keychainService = 'Holdfast';

/** The password of the repository at `location`: of a folder, its absolute path without links. */
export const repositoryPasswordName = (location: string): SecretName => ({ service: keychainService, account: `repository ${location}` });

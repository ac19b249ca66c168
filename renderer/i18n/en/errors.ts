/**
 * Errors in English. Their words are those of src/contract/errors; here stand only those whose advice there is for the command line, as the
 * interface says them.
 */
import type { ErrorCode } from '../../../src/contract/errors.ts';
import { type ErrorText, words } from '../error-text.ts';

const same = 'Nothing was changed.';
const unaffected = 'Backups that were made are not affected.';

export const errors: Partial<Readonly<Record<ErrorCode, ErrorText>>> = {
  'bad-usage': words('What was filled in cannot be used: {{problem}}', same, 'Correct it and try again.'),
  'proxy-failed': words('The proxy {{proxy}} gives no way to {{server}}.', unaffected, 'Check the proxy settings of this computer.'),
  'certificate-untrusted': words(
    'The certificate of {{server}} is not signed by an authority that this computer trusts.',
    'Nothing was sent there.',
    'If the server is your own, give its authority’s certificate with the destination.',
  ),
  'client-certificate-refused': words(
    'The server {{server}} wants to see a certificate of yours.',
    'Nothing was changed there.',
    'Name the file that holds your certificate and its key with the destination.',
  ),
  'credentials-missing': words(
    '{{location}} wants to know who you are.',
    'Nothing was changed there.',
    'Fill in its user name and password or keys.',
  ),
  'bucket-missing': words('There is no {{bucket}} on {{server}}.', same, 'Check its name and that the keys belong to its account.'),
  'region-wrong': words(
    'The bucket of {{location}} is not in the region {{asked}}.',
    same,
    'Give the region of the bucket, or the address of the server there.',
  ),
  'rclone-failed': words(
    'The program rclone, which connects to {{location}}, ended.',
    unaffected,
    'See whether rclone by itself can list this place.',
  ),
  'private-key-locked': words(
    'The private key in {{path}} is protected by a passphrase.',
    same,
    'Fill in its passphrase, or add the key to ssh-agent.',
  ),
  'host-key-by-authority': words(
    'The server {{server}} is known by an authority that Holdfast cannot read.',
    'Nothing was sent there.',
    'Ask whoever runs the server whether its key {{key}} is right, and give its fingerprint with the destination.',
  ),
  'repository-not-found': words('There is no backup repository at {{location}}.', same, 'Check the place, and connect the drive it is on.'),
  'repository-exists': words(
    '{{location}} holds a backup already.',
    'It was left as it is.',
    'Use it through “I already have a backup”, or choose another folder for a new one.',
  ),
  'repository-version': words(
    'This repository has format version {{version}}; Holdfast works with version 2.',
    'Its data is not affected.',
    'Upgrade an older one first; for a newer one use a newer Holdfast.',
  ),
  'password-missing': words('No password was given for this repository.', same, 'Enter it under Destinations.'),
  'index-invalid': words(
    'An index file of the repository is damaged.',
    'What it lists may be whole.',
    'Run a check of this destination, then repair its index.',
  ),
  'index-incomplete': words(
    'The index of this repository does not say all that it holds.',
    'What looks lost may still be there. Nothing was changed.',
    'Repair its index first, then try again.',
  ),
  locked: words(
    'Another program is using this repository: {{program}} on {{host}}.',
    same,
    'Wait until it is done. If you know that it is not running any more, remove its lock.',
  ),
  'lock-unreadable': words(
    'A lock of this repository cannot be read, so nobody knows whether another program is using it.',
    same,
    'Make sure that nothing else uses it, then remove its locks.',
  ),
  'retention-empties-group': words(
    'These rules would remove every snapshot.',
    'Nothing was removed.',
    'Add a rule that keeps at least one.',
  ),
  'last-of-group': words('This would remove every snapshot of its kind.', 'Nothing was removed.', 'Keep at least one of them.'),
  'snapshot-not-found': words('There is no snapshot {{snapshot}} here.', same, 'Choose another one from the list.'),
  'snapshot-path-not-found': words('This snapshot holds nothing at {{path}}.', '', 'Look at another time, or at what it holds.'),
  'undo-unavailable': words(
    'What an undo of this restore needs to know could not be kept in {{path}}.',
    'Nothing was changed that could not be brought back.',
    'Make sure that there is space and that you may write there, then try again.',
  ),
  'undo-not-found': words('This restore cannot be undone any more.', same, 'See those that can be undone in the history.'),
  'undo-blocked': words(
    'A later restore went to the same place, so this one cannot be undone before it.',
    same,
    'Undo the later one first.',
  ),
  'export-exists': words('{{path}} already exists.', 'It was left as it is, and nothing was exported.', 'Choose another name.'),
  'keychain-absent': words(
    'This computer has no keychain that Holdfast can use.',
    same,
    'Start Holdfast with a file for its secrets that only you can read.',
  ),
  'keychain-locked': words(
    'The keychain of this computer is locked.',
    same,
    'Unlock it, mostly by logging in at the screen, and try again.',
  ),
  'keychain-refused': words(
    'The keychain of this computer did not keep or give the password.',
    'What it keeps was not changed.',
    'Unlock it and try again.',
  ),
  'service-absent': words(
    'Holdfast’s service is not running, so nothing is backed up by itself at the moment.',
    unaffected,
    'Start Holdfast again.',
  ),
  'service-lost': words(
    'The connection to Holdfast’s service broke.',
    'Whether the last request was carried out is not known.',
    'Look at how things are; if the service has ended, start Holdfast again.',
  ),
  'service-other-version': words(
    'The service that runs is of another version of Holdfast.',
    same,
    'Load this page again; if that does not help, start Holdfast again.',
  ),
  'access-refused': words('The service refused the connection.', same, 'Open Holdfast by the address that it printed when it started.'),
  'local-only': words(
    'This cannot be done from a browser, only on the computer itself.',
    same,
    'Do it on the computer on which Holdfast runs.',
  ),
  'login-refused': words(
    'Name and password do not belong together.',
    'Nothing was changed.',
    'Type both again; logins are made on the computer on which Holdfast runs.',
  ),
  'plan-not-found': words('This plan is not there any more.', same, 'Choose another one from the list.'),
  'destination-not-found': words('This destination is not there any more.', same, 'Choose another one from the list.'),
  'destination-known': words(
    'This repository is connected already, as “{{name}}”.',
    same,
    'Use that destination; if its repository was moved, change its address there.',
  ),
  'run-not-found': words('This run is not there any more.', same, 'See the runs in the history.'),
  'run-ended': words('The run has ended already.', same, 'See in the history how it ended.'),
  'settings-not-found': words('This snapshot holds no settings that can be read.', same, 'Choose another one.'),
  'profile-in-use': words('There are plans here already, so no settings were taken over.', same, 'Remove the plans here first.'),
  'not-catalogued': words(
    'This snapshot is not in the catalogue yet.',
    'The snapshot itself is not affected.',
    'Wait until the catalogue is complete.',
  ),
  'migrate-refused': words('The repository was not upgraded.', same, 'Run a check of it; repair what is damaged, then upgrade it again.'),
  'config-not-replaced': words(
    'The config file of {{location}} was removed to be replaced, and the new one could not be stored.',
    'Its data is whole; until the config is back, it cannot be opened. A copy of it is in {{path}}.',
    'When the destination works again, upgrade it once more on this computer: the copy is found, and the upgrade completed.',
  ),
  'key-not-found': words('No single key of this repository begins with {{key}}.', same, 'Give more of its ID.'),
  'pack-invalid': words(
    'A part of the repository is damaged.',
    'Files that need it cannot be restored from here.',
    'Run a check that reads all data, to see which files are affected.',
  ),
  'pack-not-found': words('No single pack of this repository begins with {{pack}}.', same, 'Give more of its ID.'),
  'pack-not-kept': words(
    'A damaged pack could not be kept aside as {{path}}.',
    'It was not removed.',
    'Name a folder with enough space, then try again.',
  ),
  'rewrite-empties-snapshot': words(
    'This would leave nothing but empty folders of this snapshot.',
    'No snapshot was changed.',
    'Correct the patterns, or leave that snapshot out.',
  ),
  'move-stopped': words('The repository at {{location}} was not moved.', 'It was left as it is.', 'Run a check to see what is affected.'),
  'mirror-not-empty': words('{{path}} is no mirror made by Holdfast, and it is not empty.', same, 'Choose an empty folder.'),
  'mirror-other': words('{{path}} is a mirror of something else.', same, 'Choose another folder.'),
  'mirror-gone': words('The mirror that was made at {{path}} is not there.', same, 'Connect the drive that it is on.'),
  'service-running': words('The service runs already.', 'This second one ends; the first goes on.', 'Use the one that runs.'),
  'tls-unusable': words(
    'The certificate {{path}} and its key cannot be used.',
    unaffected,
    'Name a certificate and the key that belongs to it, both in PEM and readable for you.',
  ),
  'listen-without-tls': words(
    'Holdfast does not listen on {{address}} without encryption.',
    'Everybody on the way could read along and come in.',
    'Name a certificate and its key, or let only this computer in.',
  ),
  'listen-without-login': words(
    'Nobody could log in on {{address}}, for there is no login yet.',
    'The service was not started.',
    'Make a login first.',
  ),
  'login-known': words('There is a login “{{name}}” already.', same, 'For a new password, remove it, then add it again.'),
  'login-not-found': words('There is no login “{{name}}”.', same, 'Choose one of those that are there.'),
  'autostart-absent': words(
    'This system has nothing that starts the service by itself.',
    same,
    'Let whatever starts programs here start Holdfast.',
  ),
  'autostart-failed': words(
    'The system did not take the service, or did not give it back.',
    unaffected,
    'Remove the cause and try again; until then, start Holdfast yourself.',
  ),
};

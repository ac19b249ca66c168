/**
 * Every error that a person can meet, with its words.
 *
 * Rules:
 * - An error is thrown with {@link fail}; its `code` is stable, its words are not. Callers branch on `code` alone.
 * - `message` says what happened and what it means for the person's data; `guidance` says the one thing to do next.
 * - `context` holds only plain JSON values (paths, names, numbers, a cause's text), never a secret.
 * - `retryable` is true only when the same call may succeed later without anyone doing anything.
 * - An error crosses processes whole: `toJSON` on one side, {@link errorFromJSON} on the other.
 * - Anything else that is thrown is a defect; {@link toHoldfastError} turns it into `internal` at the edges.
 */
import { because, type Entry, type ErrorContext } from './errors/entry.ts';
import { desktopErrors } from './errors/desktop.ts';
import { serviceErrors } from './errors/service.ts';

export type { ErrorContext };

const catalogue = {
  ...desktopErrors,
  ...serviceErrors,

  internal: {
    retryable: false,
    words: (c) => ({
      message: `Something unexpected went wrong inside Holdfast${because(c)}. Finished snapshots are not affected.`,
      guidance: 'Try again; if it happens again, report it together with this text.',
    }),
  },
  cancelled: {
    retryable: false,
    words: () => ({
      message: 'The run was cancelled. What was already stored is kept and will be used by the next run.',
      guidance: 'Start it again when it suits you.',
    }),
  },
  'bad-usage': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.problem)} Nothing was changed.`,
      guidance: String(c.guidance ?? 'See the help of this command.'),
    }),
  },

  'output-failed': {
    retryable: false,
    words: (c) => ({
      message: `What was asked for could not be written to the output${because(c)}. What was written so far is not complete.`,
      guidance: 'Make sure that there is space and that you may write there, then try again.',
    }),
  },
  'input-unreadable': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.path)}, ${String(c.purpose)}, could not be read${because(c)}. Nothing was changed.`,
      guidance: 'Check the name of the file and that you may read it.',
    }),
  },
  'password-not-kept': {
    retryable: false,
    words: (c) => ({
      message: `The password of the new repository could not be kept in ${String(c.path)}${because(c)}, so no repository was made.`,
      guidance: 'Make sure that there is space and that you may write there, then try again.',
    }),
  },
  'home-unknown': {
    retryable: false,
    words: () => ({
      message: 'This account has no home folder, so Holdfast has no place for its own data. Nothing was changed.',
      guidance: 'Set the environment variable HOME to a folder that you can write to, then try again.',
    }),
  },
  'native-missing': {
    retryable: false,
    words: (c) => ({
      message: `The part of Holdfast that is made for this kind of computer could not be loaded${because(c)}. Nothing was changed.`,
      guidance: 'Install Holdfast again on this computer.',
    }),
  },

  // --- storage -------------------------------------------------------------------------------------------------
  'file-not-found': {
    retryable: false,
    words: (c) => ({
      message: `The file ${String(c.file)} is missing from ${String(c.location)}.`,
      guidance: 'Run a check of this repository to see what is affected.',
    }),
  },
  'file-exists': {
    retryable: false,
    words: (c) => ({
      message: `The file ${String(c.file)} already exists in ${String(c.location)} and was left as it is.`,
      guidance: 'If another program uses this repository, let it finish, then try again.',
    }),
  },
  'file-short': {
    retryable: true,
    words: (c) => ({
      message: `The file ${String(c.file)} in ${String(c.location)} ended early: ${String(c.expected)} bytes were expected, ${String(c.received)} came.`,
      guidance: 'Run a check of this repository to see what is affected.',
    }),
  },
  'storage-failed': {
    retryable: true,
    words: (c) => ({
      message: `${String(c.location)} could not ${String(c.operation)} ${String(c.file)}${because(c)}. Finished snapshots are not affected.`,
      guidance: 'Make sure that the destination is connected and works, then try again.',
    }),
  },
  'storage-full': {
    retryable: false,
    words: (c) => ({
      message: `There is no space left on ${String(c.location)}. Finished snapshots are kept; this run could not be completed.`,
      guidance: 'Free some space there, or thin out old snapshots, then run it again: it carries on from what is stored.',
    }),
  },
  'storage-denied': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.location)} does not allow Holdfast to ${String(c.operation)} ${String(c.file)}${because(c)}. Nothing that is stored was changed.`,
      guidance: 'Give yourself permission to write there, or choose another destination.',
    }),
  },
  'storage-read-only': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.location)} is read-only, so nothing can be stored there. What it holds is not affected.`,
      guidance: 'Make the destination writable, or choose another one.',
    }),
  },
  'storage-gone': {
    retryable: true,
    words: (c) => ({
      message: `${String(c.location)} cannot be reached any more${because(c)}. Finished snapshots are kept; this run could not be completed.`,
      guidance: 'Connect the destination again, then run it again: it carries on from what is stored.',
    }),
  },

  'storage-cannot-replace': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.location)} cannot put one file in the place of another in one step. Nothing was changed.`,
      guidance: 'An upgrade of the repository does without, and keeps a copy of its config on this computer meanwhile.',
    }),
  },
  'storage-append-only': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.location)} only takes additions: what is stored there cannot be removed by Holdfast${because(c)}. Nothing was removed.`,
      guidance: 'Remove old backups on the server itself, or with a user who may delete there.',
    }),
  },

  // --- servers ---------------------------------------------------------------------------------------------------
  'server-unknown': {
    retryable: true,
    words: (c) => ({
      message: `No server is known by the name of ${String(c.server)}, so ${String(c.location)} cannot be reached${because(c)}. Finished snapshots are not affected.`,
      guidance: 'Check the name of the server or of the account, and that this computer is connected to the network.',
    }),
  },
  'server-refused': {
    retryable: true,
    words: (c) => ({
      message: `Nothing answers at ${String(c.server)}, so ${String(c.location)} cannot be reached${because(c)}. Finished snapshots are not affected.`,
      guidance: 'Check the address and its port, and that the server program is running.',
    }),
  },
  'server-unreachable': {
    retryable: true,
    words: (c) => ({
      message: `The server ${String(c.server)} does not answer, so ${String(c.location)} cannot be reached${because(c)}. Finished snapshots are not affected.`,
      guidance: 'Check the network of this computer and that the server is switched on, then try again.',
    }),
  },
  'proxy-failed': {
    retryable: true,
    words: (c) => ({
      message: `The proxy ${String(c.proxy)} gives no way to ${String(c.server)}, so ${String(c.location)} cannot be reached${because(c)}. Finished snapshots are not affected.`,
      guidance:
        c.isSignIn === true
          ? 'Write your user name and password for the proxy into HTTPS_PROXY or HTTP_PROXY: http://USER:PASSWORD@PROXY:PORT.'
          : 'Check HTTPS_PROXY or HTTP_PROXY; a server that needs no proxy is named in NO_PROXY.',
    }),
  },
  'connection-lost': {
    retryable: true,
    words: (c) => ({
      message: `The connection to ${String(c.server)} broke off${because(c)}. Finished snapshots are kept; this run could not be completed.`,
      guidance: 'Check the network, then run it again: it carries on from what is stored.',
    }),
  },
  'server-busy': {
    retryable: true,
    words: (c) => ({
      message: `The server ${String(c.server)} asks to be left alone for a while${because(c)}. Finished snapshots are kept; this run could not be completed.`,
      guidance: 'Wait some minutes, then run it again: it carries on from what is stored.',
    }),
  },
  'server-not-understood': {
    retryable: true,
    words: (c) => ({
      message: `What answers at ${String(c.server)} does not answer as ${String(c.location)} should${because(c)}. Finished snapshots are not affected.`,
      guidance: 'Check the address, and whether a login page or a proxy stands in between.',
    }),
  },
  'server-moved': {
    retryable: false,
    words: (c) => ({
      message: `The server says that ${String(c.location)} has moved${c.place ? ` to ${String(c.place)}` : ''}. Holdfast did not follow, since your password would go there too.`,
      guidance: 'If you trust that place, give it as the address.',
    }),
  },
  'certificate-untrusted': {
    retryable: false,
    words: (c) => ({
      message: `The certificate of ${String(c.server)} is not signed by an authority that this computer trusts${because(c)}. Nothing was sent there.`,
      guidance: "If the server is your own, name its authority's certificate file in HOLDFAST_CACERT.",
    }),
  },
  'certificate-expired': {
    retryable: false,
    words: (c) => ({
      message: `The certificate of ${String(c.server)} is not valid at this time${because(c)}. Nothing was sent there.`,
      guidance: 'Check the clock of this computer; if it is right, the certificate must be renewed on the server.',
    }),
  },
  'certificate-wrong-name': {
    retryable: false,
    words: (c) => ({
      message: `The certificate of ${String(c.server)} is made for another name${because(c)}. Nothing was sent there.`,
      guidance: 'Use the name that the certificate is made for, or have it made for this one.',
    }),
  },
  'client-certificate-refused': {
    retryable: false,
    words: (c) => ({
      message: `The server ${String(c.server)} wants to see a certificate of yours, and did not accept what it was shown${because(c)}. Nothing was changed there.`,
      guidance: 'Name the file that holds your certificate and its key in HOLDFAST_TLS_CLIENT_CERT.',
    }),
  },
  'tls-failed': {
    retryable: false,
    words: (c) => ({
      message: `No encrypted connection to ${String(c.server)} came about${because(c)}. Nothing was sent there.`,
      guidance: 'Check the port, and whether the address begins with http or https.',
    }),
  },
  'credentials-missing': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.location)} wants ${String(c.what ?? 'a user name and a password')}, and none was given. Nothing was changed there.`,
      guidance: `Give them in ${String(c.variables)}, or in a file of such lines with --credentials-file.`,
    }),
  },
  'credentials-refused': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.location)} does not accept ${String(c.what ?? 'the user name and password')} it was given${because(c)}. Nothing was changed there.`,
      guidance: String(c.advice ?? 'Check both, and that this user may use this path of the server.'),
    }),
  },
  'clock-wrong': {
    retryable: false,
    words: (c) => ({
      message: `The time of this computer is too far from that of ${String(c.server)}, which refuses its requests${c.skew === undefined ? '' : `: its clock is ${String(c.skew)} the server's`}. Nothing was changed there.`,
      guidance: 'Set the clock of this computer right, best by a time server; backups need it, too, to know which is the newest.',
    }),
  },
  'bucket-missing': {
    retryable: false,
    words: (c) => ({
      message: `There is no ${String(c.noun ?? 'bucket')} ${String(c.bucket)} on ${String(c.server)}, so there is no backup repository at ${String(c.location)}. Nothing was changed.`,
      guidance: `Check its name and that the keys belong to its account; "holdfast init" makes the ${String(c.noun ?? 'bucket')} together with a repository.`,
    }),
  },
  'bucket-taken': {
    retryable: false,
    words: (c) => ({
      message: `A bucket ${String(c.bucket)} exists on ${String(c.server)} already and belongs to somebody else. Nothing was changed.`,
      guidance: 'Choose another name: those of buckets are unique among all customers of a service.',
    }),
  },
  'bucket-name': {
    retryable: false,
    words: (c) => ({
      message: `No ${String(c.noun ?? 'bucket')} may be called ${String(c.bucket)} on ${String(c.server)}${because(c)}. Nothing was changed.`,
      guidance: 'Use 3 to 63 small letters, digits and hyphens.',
    }),
  },
  'region-wrong': {
    retryable: false,
    words: (c) => ({
      message: `The bucket of ${String(c.location)} is not in the region ${String(c.asked)}${c.region === undefined ? '' : ` but in ${String(c.region)}`}${because(c)}. Nothing was changed.`,
      guidance: 'Set AWS_DEFAULT_REGION to the region of the bucket, or give the address of the server for that region.',
    }),
  },
  'file-protected': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.location)} protects ${String(c.file)} from being ${c.operation === 'remove' ? 'removed' : 'replaced'} for some time yet${because(c)}. It was left as it is.`,
      guidance: 'Wait until its retention has ended, then run it again.',
    }),
  },
  'program-missing': {
    retryable: false,
    words: (c) => ({
      message: `The program ${String(c.program)}, which ${String(c.location)} needs, could not be started${because(c)}. Nothing was changed.`,
      guidance: `Install ${String(c.name)}, or say in ${String(c.variables)} where it is.`,
    }),
  },
  'rclone-failed': {
    retryable: true,
    words: (c) => ({
      message: `The program rclone, which connects to ${String(c.location)}, ended${because(c)}. Finished snapshots are not affected.`,
      guidance: 'See whether rclone by itself can list this place, for example with "rclone lsd".',
    }),
  },

  'host-key-changed': {
    retryable: false,
    words: (c) => ({
      message: `The server ${String(c.server)} shows another host key (${String(c.key)}) than the one that is expected (${String(c.expected)}). Either it was set up anew, or somebody in between pretends to be it. Nothing was sent there.`,
      guidance: `Ask whoever runs the server which key is right; only if it is the new one, remove the old one (${String(c.where)}).`,
    }),
  },
  'host-key-revoked': {
    retryable: false,
    words: (c) => ({
      message: `The host key that ${String(c.server)} shows (${String(c.key)}) is marked as revoked in ${String(c.path)}: whoever shows it need not be the server. Nothing was sent there.`,
      guidance: 'Ask whoever runs the server for its new key.',
    }),
  },
  'private-key-locked': {
    retryable: false,
    words: (c) => ({
      message: `The private key in ${String(c.path)} is protected by a passphrase, and ${c.given ? 'the one that was given does not open it' : 'none was given'}. Nothing was changed.`,
      guidance: 'Give it in HOLDFAST_SFTP_KEY_PASSPHRASE, or add the key to ssh-agent and name no file.',
    }),
  },

  // --- trees ---------------------------------------------------------------------------------------------------
  'tree-invalid': {
    retryable: false,
    words: (c) => ({
      message: `The list of a folder${c.tree ? ` (${String(c.tree)})` : ''} is damaged: ${String(c.reason)}. What is in this folder cannot be restored from the snapshots that share this list; all other folders are not affected.`,
      guidance: 'Run a check of this repository to see what is affected.',
    }),
  },

  'tree-unknown-form': {
    retryable: false,
    words: (c) => ({
      message: `The list of a folder (${String(c.tree).slice(0, 12)}) holds more than this version of Holdfast knows, so it cannot be written anew without losing some of it. Nothing of it was changed.`,
      guidance: 'Use the newest version of the program that wrote the snapshot to rewrite it.',
    }),
  },

  // --- retention -----------------------------------------------------------------------------------------------
  'retention-empties-group': {
    retryable: false,
    words: (c) => ({
      message:
        c.group === undefined
          ? 'This policy keeps nothing, so every snapshot would go. Nothing was removed.'
          : `This policy would remove every snapshot (${String(c.snapshots)}) of this group: ${String(c.group)}. Nothing was removed.`,
      guidance: 'Add a rule that keeps at least one snapshot, for example --keep-last 1.',
    }),
  },
  'snapshot-time-unreadable': {
    retryable: false,
    words: (c) => ({
      message: `The time of the snapshot ${String(c.snapshot)}, “${String(c.time)}”, cannot be read, so its age is unknown. Nothing was removed.`,
      guidance: 'Run a check of this repository; a damaged snapshot can be removed by naming it.',
    }),
  },
  'last-of-group': {
    retryable: false,
    words: (c) => ({
      message: `This would remove every snapshot (${String(c.snapshots)}) of this group: ${String(c.group)}. Nothing was removed.`,
      guidance: 'Keep one of them, or say with --force that all of them may go.',
    }),
  },
  'plan-outdated': {
    retryable: true,
    words: (c) => ({
      message: `The repository changed after this was planned: snapshot ${String(c.snapshot).slice(0, 8)}, which was to be kept, is gone. Nothing was removed.`,
      guidance: 'Run it again: it is planned anew.',
    }),
  },
  'rewrite-empties-snapshot': {
    retryable: false,
    words: (c) => ({
      message: `This would leave nothing but empty folders of snapshot ${String(c.snapshot).slice(0, 8)}, and remove the snapshot itself. No snapshot was changed.`,
      guidance: 'Correct the patterns, or leave that snapshot out; to remove it as a whole use "holdfast forget".',
    }),
  },
  'prune-refused': {
    retryable: false,
    words: (c) => ({
      message: `The repository was not pruned, because ${String(c.problem)}. Nothing that a snapshot needs was deleted.`,
      guidance: 'Run a check to see what is affected, repair or forget that, then prune again.',
    }),
  },

  // --- copy and move -------------------------------------------------------------------------------------------
  'same-place': {
    retryable: false,
    words: (c) => ({
      message: `Both places are the same one, the repository at ${String(c.location)}. Nothing was changed.`,
      guidance: 'Name another place.',
    }),
  },
  'place-occupied': {
    retryable: false,
    words: (c) => ({
      message: `The repository was not moved to ${String(c.location)}, because ${String(c.problem)}. Nothing was changed there.`,
      guidance: 'Choose a new or an empty folder.',
    }),
  },
  'place-too-small': {
    retryable: false,
    words: (c) => ({
      message: `The repository needs ${String(c.needed)} bytes at ${String(c.location)}, and ${String(c.free)} are free. Nothing was changed.`,
      guidance: 'Free some space there, or choose another place.',
    }),
  },
  'move-stopped': {
    retryable: false,
    words: (c) => ({
      message: `The repository at ${String(c.location)} was not moved, because ${String(c.problem)}. It was left as it is.`,
      guidance: 'Run a check to see what is affected; "holdfast copy" takes over every snapshot that is whole.',
    }),
  },

  // --- encryption and chunking ---------------------------------------------------------------------------------
  'item-tampered': {
    retryable: false,
    words: (c) => ({
      message: `${c.file ? `The file ${String(c.file)}` : 'A piece of this repository'} is damaged or was changed after it was written, so nothing of it was used.`,
      guidance: 'Run a check that reads all data to see which files are affected.',
    }),
  },
  'bad-polynomial': {
    retryable: false,
    words: (c) => ({
      message: `This repository's config names a chunker polynomial that cannot be used: ${String(c.problem)}. Nothing was changed.`,
      guidance: 'Do not write to this repository; restore its config file from another copy of the repository.',
    }),
  },

  // --- sources -------------------------------------------------------------------------------------------------
  'source-missing': {
    retryable: false,
    words: (c) => ({
      message: `Nothing that should be backed up exists: ${String(c.path)}. No snapshot was made; older ones are kept.`,
      guidance: 'Check the names of the folders, and connect the drive they are on.',
    }),
  },
  'source-in-destination': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.path)} lies inside the destination ${String(c.location)}: the backup would back itself up. Nothing was stored.`,
      guidance: 'Choose a destination outside the folders that are backed up.',
    }),
  },

  // --- restore target ------------------------------------------------------------------------------------------
  'target-full': {
    retryable: false,
    words: (c) => ({
      message: `There is no space left where files are being restored (${String(c.path)}). What is restored so far is whole; the backup is not affected.`,
      guidance: 'Free some space, or choose another place, and restore again: files that are there already are not written twice.',
    }),
  },
  'target-too-small': {
    retryable: false,
    words: (c) => ({
      message: `The restore needs ${String(c.needed)} bytes at ${String(c.path)}, and ${String(c.free)} are free. Nothing was changed.`,
      guidance: `Free some space, choose another place, or restore less at a time${c.keeps ? '; with --no-undo, what is replaced makes room' : ''}.`,
    }),
  },
  'target-read-only': {
    retryable: false,
    words: (c) => ({
      message: `Nothing can be written at ${String(c.path)}: it is read-only. The backup is not affected.`,
      guidance: 'Choose another place to restore to.',
    }),
  },
  'target-gone': {
    retryable: false,
    words: (c) => ({
      message: `The place where files are being restored stopped working (${String(c.path)}${c.cause ? `: ${String(c.cause)}` : ''}). The backup is not affected.`,
      guidance: 'Connect the drive again, or choose another place, and restore again.',
    }),
  },
  'target-unusable': {
    retryable: false,
    words: (c) => ({
      message: `Nothing can be restored to ${String(c.path)}${because(c)}. Nothing was changed.`,
      guidance: 'Choose a folder that you may write to.',
    }),
  },

  'target-busy': {
    retryable: true,
    words: (c) => ({
      message: `Another restore, or an undo, is at work at ${String(c.path)}${c.id ? ` (its undo is ${String(c.id)})` : ''}. Nothing was changed.`,
      guidance: 'Wait until it is done, then try again.',
    }),
  },
  'undo-unavailable': {
    retryable: false,
    words: (c) => ({
      message: `What an undo of this restore needs to know could not be kept in ${String(c.path)}${because(c)}. Nothing was changed that could not be brought back.`,
      guidance: 'Make sure that there is space and that you may write there, or restore with --no-undo.',
    }),
  },
  'undo-not-found': {
    retryable: false,
    words: (c) => ({
      message: `No single restore that can be undone has the ID ${String(c.id)}. Nothing was changed.`,
      guidance: 'List them with "holdfast restore --list-undo".',
    }),
  },
  'undo-blocked': {
    retryable: false,
    words: (c) => ({
      message: `A later restore (${String(c.id)}) went to the same place, so this one cannot be undone before it. Nothing was changed.`,
      guidance: 'Undo the later one first, or forget it with "holdfast restore --forget-undo".',
    }),
  },
  'undo-target-gone': {
    retryable: false,
    words: (c) => ({
      message: `What was there before the restore is not where it was kept: ${String(c.path)}${because(c)}. Nothing was changed.`,
      guidance: 'Connect the drive that it is on, then undo again.',
    }),
  },
  'undo-interrupted': {
    retryable: false,
    words: (c) => ({
      message: `The undo could not go on${because(c)}. What it has not brought back yet is still kept.`,
      guidance: 'Remove the cause (connect the drive, free some space, allow writing), then undo again: it goes on from where it was.',
    }),
  },
  'undo-damaged': {
    retryable: false,
    words: (c) => ({
      message: `The journal of this restore, ${String(c.path)}, is damaged${because(c)}. Nothing was changed, and what was there before is still kept.`,
      guidance: 'What it kept is in folders named ".holdfast-undo-…" where it was restored; copy from there by hand.',
    }),
  },

  // --- mirrors -------------------------------------------------------------------------------------------------
  'mirror-not-empty': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.path)} is no mirror made by Holdfast, and it is not empty. Nothing was changed.`,
      guidance: 'Choose an empty folder, or say with --adopt that it shall become the mirror: what is not in the snapshot goes from it.',
    }),
  },
  'mirror-other': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.path)} is a mirror of something else (${String(c.reason)}). Nothing was changed.`,
      guidance: 'Choose another folder, or say with --adopt that this one shall become the mirror.',
    }),
  },
  'mirror-gone': {
    retryable: false,
    words: (c) => ({
      message: `The mirror that was made at ${String(c.path)} is not there. Nothing was changed.`,
      guidance: 'Connect the drive that it is on; or say with --adopt that it shall be made there anew.',
    }),
  },
  'mirror-lost': {
    retryable: false,
    words: (c) => ({
      message: `The mirror at ${String(c.path)} vanished while it was being written. The backup is not affected.`,
      guidance: 'Connect the drive that it is on, then mirror again: it goes on from what is there.',
    }),
  },
  'mirror-busy': {
    retryable: true,
    words: (c) => ({
      message: `Another run is writing the mirror at ${String(c.path)}. Nothing was changed.`,
      guidance: 'Wait until it is done, then try again.',
    }),
  },

  'export-exists': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.path)} already exists and was left as it is. Nothing was exported.`,
      guidance: 'Choose another name, or say with --force that it may be replaced.',
    }),
  },
  'export-full': {
    retryable: false,
    words: (c) => ({
      message: `There is no space left for ${String(c.path)}, so it was not made. The backup is not affected.`,
      guidance: 'Free some space, choose another place, or export less at a time.',
    }),
  },
  'export-unwritable': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.path)} could not be written${because(c)}, so it was not made. The backup is not affected.`,
      guidance: 'Choose a file name in a folder that is there and that you may write to.',
    }),
  },

  // --- repository ----------------------------------------------------------------------------------------------
  'repository-not-found': {
    retryable: false,
    words: (c) => ({
      message: `There is no backup repository at ${String(c.location)}. Nothing was changed.`,
      guidance: 'Check the place, connect the drive it is on, or make a repository there with "holdfast init".',
    }),
  },
  'repository-exists': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.location)} already holds a backup repository. It was left as it is.`,
      guidance: 'Use it as it is, or choose an empty folder for a new one.',
    }),
  },
  'repository-version': {
    retryable: false,
    words: (c) => ({
      message: `This repository has format version ${String(c.version)}; Holdfast works with version 2. Its data is not affected.`,
      guidance:
        c.version === 1
          ? '"holdfast migrate" upgrades it; "holdfast migrate --help" says what that means.'
          : 'Use a newer Holdfast for it.',
    }),
  },
  'migrate-refused': {
    retryable: false,
    words: (c) => ({
      message: `The repository was not upgraded, because ${String(c.problem)}. Nothing was changed.`,
      guidance: 'Look at what the check says; repair or forget what is damaged, then run "holdfast migrate" again.',
    }),
  },
  'config-not-kept': {
    retryable: false,
    words: (c) => ({
      message: `A copy of the repository's config file could not be kept in ${String(c.path)}${because(c)}. Nothing was changed.`,
      guidance: 'Make sure that there is space and that you may write there, then try again.',
    }),
  },
  'config-not-replaced': {
    retryable: false,
    words: (c) => ({
      message: `The config file of ${String(c.location)} was removed to be replaced, and the new one could not be stored${because(c)}. Its data is whole; until the config is back, it cannot be opened. A copy of it is in ${String(c.path)}.`,
      guidance: 'When the destination works again, run "holdfast migrate" on this computer: it finds the copy and completes the upgrade.',
    }),
  },
  'config-invalid': {
    retryable: false,
    words: (c) => ({
      message: `The repository's config file is damaged${because(c)}, so the repository cannot be opened. Its packs may be whole.`,
      guidance: 'Restore the config file from a copy of this repository.',
    }),
  },
  'wrong-password': {
    retryable: false,
    words: (c) => ({
      message: `The password does not open the repository at ${String(c.location)}. Nothing was changed.`,
      guidance: 'Try again with the right password; it stands in the recovery kit.',
    }),
  },
  'password-missing': {
    retryable: false,
    words: () => ({
      message: 'No password was given for this repository. Nothing was changed.',
      guidance: 'Give it with --password-file FILE, or in HOLDFAST_PASSWORD or HOLDFAST_PASSWORD_FILE.',
    }),
  },
  'password-empty': {
    retryable: false,
    words: () => ({
      message: 'An empty password protects nothing. Nothing was changed.',
      guidance: 'Choose a password with at least one character, better a long one.',
    }),
  },
  'key-invalid': {
    retryable: false,
    words: (c) => ({
      message: `A key file of this repository is damaged${because(c)}. Other passwords of the repository still open it.`,
      guidance: 'Open it with another password, or restore the key file from a copy of this repository.',
    }),
  },
  'key-not-found': {
    retryable: false,
    words: (c) => ({
      message: `No single key of this repository begins with ${String(c.key)}. Nothing was changed.`,
      guidance: 'List the keys with "holdfast key list" and give more of the ID.',
    }),
  },
  'key-in-use': {
    retryable: false,
    words: () => ({
      message: 'This is the key that the repository was opened with. It was kept, so that you cannot lock yourself out.',
      guidance: 'Open the repository with another password to remove this one.',
    }),
  },
  'index-invalid': {
    retryable: false,
    words: (c) => ({
      message: `An index file of the repository is damaged${because(c)}. The packs that it lists may be whole.`,
      guidance: 'Run a check; "holdfast repair index" makes the index anew from the packs.',
    }),
  },
  'index-too-large': {
    retryable: false,
    words: (c) => ({
      message: `The index of this repository needs more memory than this computer gives (${String(c.bytes)} bytes so far). The backup is not affected.`,
      guidance: 'Close other programs and try again, or use a computer with more memory.',
    }),
  },
  'pack-invalid': {
    retryable: false,
    words: (c) => ({
      message: `A pack of the repository is damaged${because(c)}. Files that need it cannot be restored from here.`,
      guidance: 'Run a check with --read-data to see which files are affected.',
    }),
  },
  'pack-lost': {
    retryable: false,
    words: (c) => ({
      message: `Pack ${String(c.pack).slice(0, 12)} is missing from the repository or has the wrong size. Older snapshots may have lost files.`,
      guidance: 'Run a check to see which files are affected; a backup stores what still exists on this computer again.',
    }),
  },
  'snapshot-invalid': {
    retryable: false,
    words: (c) => ({
      message: `Snapshot ${String(c.snapshot).slice(0, 8)} is damaged${because(c)}. Other snapshots are not affected.`,
      guidance: 'Use another snapshot, and run a check of this repository.',
    }),
  },
  'snapshot-too-large': {
    retryable: false,
    words: (c) => ({
      message: `Snapshot ${String(c.snapshot).slice(0, 8)} says that it holds ${String(c.entries)} files and folders, more than any disk can hold: its folders repeat each other again and again. No backup program makes such a snapshot.`,
      guidance: 'Do not trust this repository; use another snapshot of it, or another copy.',
    }),
  },
  'snapshot-not-found': {
    retryable: false,
    words: (c) => ({
      message: `There is no snapshot ${String(c.snapshot)} in this repository. Nothing was changed.`,
      guidance: 'List the snapshots with "holdfast snapshots" and choose one of them, or "latest".',
    }),
  },
  'snapshot-ambiguous': {
    retryable: false,
    words: (c) => ({
      message: `Several snapshots begin with ${String(c.snapshot)}. Nothing was changed.`,
      guidance: 'Give more digits of the ID.',
    }),
  },
  'snapshot-path-not-found': {
    retryable: false,
    words: (c) => ({
      message: `Snapshot ${String(c.snapshot).slice(0, 8)} holds nothing at ${String(c.path)}.`,
      guidance: 'List what it holds with "holdfast ls".',
    }),
  },
  'blob-missing': {
    retryable: false,
    words: (c) => ({
      message: `The ${c.type === 'tree' ? 'folder listing' : 'piece of data'} ${String(c.blob).slice(0, 12)} is missing from the repository. Files that need it cannot be restored from here.`,
      guidance: 'Run a check to see which files are affected; a new backup stores what still exists on this computer again.',
    }),
  },
  'id-not-found': {
    retryable: false,
    words: (c) => ({
      message: `No ${String(c.what)} in this repository has an ID that begins with ${String(c.id)}. Nothing was changed.`,
      guidance: 'Check the ID; the full one of a blob is looked for even when the blob itself is missing.',
    }),
  },
  'index-incomplete': {
    retryable: false,
    words: (c) => ({
      message: `The index of this repository does not say all that its packs hold (${String(c.problem)}), so what looks lost may still be there. Nothing was changed.`,
      guidance: 'Run "holdfast repair index" first, then this again.',
    }),
  },
  'pack-not-found': {
    retryable: false,
    words: (c) => ({
      message: `No single pack of this repository begins with ${String(c.pack).slice(0, 12)}. Nothing was changed.`,
      guidance: 'Give more of the ID, or let "holdfast repair packs --damaged" find the packs that need it.',
    }),
  },
  'pack-not-kept': {
    retryable: false,
    words: (c) => ({
      message: `The damaged pack ${String(c.pack).slice(0, 12)} could not be kept aside as ${String(c.path)}${because(c)}, so it was not removed from the repository.`,
      guidance: 'Name a folder with enough space with --keep-in, then run it again.',
    }),
  },
  'encoding-failed': {
    retryable: false,
    words: (c) => ({
      message: `What was about to be stored (${String(c.blob).slice(0, 16)}) could not be read back correctly, so it was not stored. Finished snapshots are not affected.`,
      guidance: "This points to failing memory or another hardware fault: test this computer's memory before backing up again.",
    }),
  },
  locked: {
    retryable: true,
    words: (c) => ({
      message: `Another program is using ${c.location ? `the repository at ${String(c.location)}` : 'this repository'}${c.exclusive ? ' for itself alone' : ''}: ${String(c.program)} on ${String(c.host)}, since ${String(c.since)}. Nothing was changed.`,
      guidance: 'Wait until it is done. If you know that it is not running any more, use "holdfast unlock".',
    }),
  },
  'lock-unreadable': {
    retryable: false,
    words: (c) => ({
      message: `A lock file of this repository cannot be read${because(c)}, so nobody knows whether another program is using it. Nothing was changed.`,
      guidance: 'Make sure that nothing else uses the repository, then use "holdfast unlock --remove-all".',
    }),
  },
  'lock-lost': {
    retryable: true,
    words: () => ({
      message:
        'This run lost its lock on the repository, probably while the computer slept, so it stopped writing. Finished snapshots are not affected.',
      guidance: 'Run it again: it carries on from what is stored.',
    }),
  },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof catalogue;

/** All codes, for tests that look at every text. */
export const errorCodes = Object.keys(catalogue) as ErrorCode[];

export interface ErrorJSON {
  readonly code: ErrorCode;
  readonly message: string;
  readonly guidance: string;
  readonly context: ErrorContext;
  readonly retryable: boolean;
}

export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';
  readonly code: ErrorCode;
  readonly guidance: string;
  readonly context: ErrorContext;
  readonly retryable: boolean;

  constructor(code: ErrorCode, context: ErrorContext = {}, options: { cause?: unknown; retryable?: boolean } = {}) {
    const entry: Entry = catalogue[code];
    const words = entry.words(context);
    super(words.message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.guidance = words.guidance;
    this.context = context;
    this.retryable = options.retryable ?? entry.retryable;
  }

  toJSON(): ErrorJSON {
    const { code, message, guidance, context, retryable } = this;
    return { code, message, guidance, context, retryable };
  }
}

/** Codes that tell of a destination as a whole, which cannot be used now; all others may be about one file in it. */
const ofDestination: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'storage-gone',
  'server-unknown',
  'server-refused',
  'server-unreachable',
  'proxy-failed',
  'connection-lost',
  'server-busy',
  'server-not-understood',
  'server-moved',
  'certificate-untrusted',
  'certificate-expired',
  'certificate-wrong-name',
  'client-certificate-refused',
  'tls-failed',
  'credentials-missing',
  'credentials-refused',
  'clock-wrong',
  'bucket-missing',
  'region-wrong',
  'program-missing',
  'rclone-failed',
  'host-key-changed',
  'host-key-revoked',
  'private-key-locked',
]);

/** Whether the destination as a whole cannot be used now, so that what it says about a file says nothing about that file. */
export const isDestinationError = (thrown: unknown): boolean => thrown instanceof HoldfastError && ofDestination.has(thrown.code);

/** Throws the error `code`. `cause` is kept for the log; its text goes into the words when `context.cause` is set. */
export function fail(code: ErrorCode, context: ErrorContext = {}, cause?: unknown): never {
  throw new HoldfastError(code, context, cause === undefined ? {} : { cause });
}

/** The error that crossed a process border as JSON; an unknown code becomes `internal`. */
export function errorFromJSON(json: ErrorJSON): HoldfastError {
  if (!Object.hasOwn(catalogue, json.code)) return new HoldfastError('internal', { cause: json.message });
  return new HoldfastError(json.code, json.context, { retryable: json.retryable });
}

/** Any thrown value as a HoldfastError; what is not one already is a defect and becomes `internal`. */
export function toHoldfastError(thrown: unknown): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown;
  return new HoldfastError('internal', { cause: thrown instanceof Error ? thrown.message : String(thrown) }, { cause: thrown });
}

/** Whether this is the error `code`. (The type says so too, so that a "no" leaves other errors possible.) */
export const hasCode = <C extends ErrorCode>(thrown: unknown, code: C): thrown is HoldfastError & { readonly code: C } =>
  thrown instanceof HoldfastError && thrown.code === code;

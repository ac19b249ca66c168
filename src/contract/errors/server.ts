/** Errors of servers, and on the way to them. */
import { because, type Entry } from './entry.ts';

export const serverErrors = {
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
  'host-key-by-authority': {
    retryable: false,
    words: (c) => ({
      message: `The server ${String(c.server)} is known by an authority that signs certificates (${String(c.where)}), which Holdfast cannot read; the server's own key (${String(c.key)}) is not known. Nothing was sent there.`,
      guidance: 'Ask whoever runs the server whether this key is right; if it is, name its fingerprint in HOLDFAST_SFTP_HOST_KEY.',
    }),
  },
  'private-key-locked': {
    retryable: false,
    words: (c) => ({
      message: `The private key in ${String(c.path)} is protected by a passphrase, and ${c.given ? 'the one that was given does not open it' : 'none was given'}. Nothing was changed.`,
      guidance: 'Give it in HOLDFAST_SFTP_KEY_PASSPHRASE, or add the key to ssh-agent and name no file.',
    }),
  },
} as const satisfies Readonly<Record<string, Entry>>;

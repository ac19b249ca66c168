/** Errors of the service, its state and its connections. */
import { because, type Entry } from './entry.ts';

const unaffected = 'Backups that were made are not affected.';

export const serviceErrors = {
  'service-running': {
    retryable: false,
    words: (c) => ({
      message: `The service of this profile runs already${c.pid ? ` (process ${String(c.pid)})` : ''}. This second one ends; the first goes on.`,
      guidance: 'Use the one that runs: see "holdfast status".',
    }),
  },
  'service-absent': {
    retryable: true,
    words: (c) => ({
      message: `The Holdfast service is not running${because(c)}, so no plan runs by itself at the moment. ${unaffected}`,
      guidance: 'Start it with "holdfast serve", or for good with "holdfast service install".',
    }),
  },
  'service-lost': {
    retryable: true,
    words: (c) => ({
      message: `The connection to the Holdfast service broke${because(c)}. Whether the last request was carried out is not known.`,
      guidance: 'See "holdfast status"; if the service has ended, start it again.',
    }),
  },
  'service-other-version': {
    retryable: false,
    words: (c) => ({
      message: `The service that runs is of another version of Holdfast (${String(c.version)}). Nothing was changed.`,
      guidance: 'End it with "holdfast service stop" and start it again, so that both are of one version.',
    }),
  },
  'service-not-started': {
    retryable: false,
    words: (c) => ({
      message: `The service could not be started${because(c)}, so no plan runs by itself. ${unaffected}`,
      guidance: 'Make sure that the folder of the profile can be written to, then start it again.',
    }),
  },
  'access-refused': {
    retryable: false,
    words: (c) => ({
      message: `The service refused the connection${because(c)}. Nothing was changed.`,
      guidance: 'Open Holdfast by the address that "holdfast serve" prints when it starts.',
    }),
  },
  'local-only': {
    retryable: false,
    words: () => ({
      message: 'This cannot be done from a browser, only on the computer itself. Nothing was changed.',
      guidance: 'Use the command line of the computer on which Holdfast runs.',
    }),
  },
  'port-unusable': {
    retryable: false,
    words: (c) => ({
      message: `Holdfast could not listen on ${String(c.address)}${because(c)}, so the service was not started. ${unaffected}`,
      guidance: 'End what uses this port, or choose another one; ports below 1024 and addresses of other computers cannot be had.',
    }),
  },
  'tls-unusable': {
    retryable: false,
    words: (c) => ({
      message: `The certificate ${String(c.path)} and its key cannot be used${because(c)}, so the service was not started. ${unaffected}`,
      guidance: 'Name a certificate with --tls-cert and the key that belongs to it with --tls-key, both in PEM and readable for you.',
    }),
  },
  'listen-without-tls': {
    retryable: false,
    words: (c) => ({
      message: `Holdfast does not listen on ${String(c.address)} without encryption: everybody on the way could read along and come in. The service was not started.`,
      guidance: 'Name a certificate and its key with --tls-cert and --tls-key, or leave --listen away.',
    }),
  },
  'listen-without-login': {
    retryable: false,
    words: (c) => ({
      message: `Nobody could log in on ${String(c.address)}, for there is no login yet. The service was not started.`,
      guidance: 'Start "holdfast serve" without --listen, make one with "holdfast login add NAME", then start it again.',
    }),
  },
  'login-known': {
    retryable: false,
    words: (c) => ({
      message: `There is a login “${String(c.name)}” already. Nothing was changed.`,
      guidance: 'For a new password, remove it with "holdfast login remove", then add it again.',
    }),
  },
  'login-not-found': {
    retryable: false,
    words: (c) => ({
      message: `There is no login “${String(c.name)}”. Nothing was changed.`,
      guidance: 'See the logins with "holdfast login list".',
    }),
  },
  'login-needed': {
    retryable: false,
    words: () => ({
      message: 'This needs a login, and there is none in this browser, or it has ended. Nothing was changed.',
      guidance: 'Log in with your name and password.',
    }),
  },
  'login-refused': {
    retryable: false,
    words: () => ({
      message: 'Name and password do not belong together, so nobody was let in. Nothing was changed.',
      guidance: 'Type both again; logins are made with "holdfast login add" on the computer where Holdfast runs.',
    }),
  },
  'login-paused': {
    retryable: true,
    words: (c) => ({
      message: `After too many attempts to log in, the next one has to wait for ${c.seconds === 1 ? 'a second' : `${String(c.seconds)} seconds`}. This one was not looked at.`,
      guidance: 'Wait, then try again.',
    }),
  },
  'autostart-absent': {
    retryable: false,
    words: (c) => ({
      message: `This system has nothing that starts the service by itself${because(c)}. Nothing was changed.`,
      guidance: 'Let whatever starts programs here run "holdfast serve": in a container its own command, elsewhere cron with @reboot.',
    }),
  },
  'autostart-failed': {
    retryable: false,
    words: (c) => ({
      message: `The system did not take the service, or did not give it back${because(c)}. ${unaffected}`,
      guidance: 'Remove the cause and try again; until then, start the service with "holdfast serve".',
    }),
  },
  'request-invalid': {
    retryable: false,
    words: (c) => ({
      message: `The request cannot be carried out: ${String(c.problem)}. Nothing was changed.`,
      guidance: 'Correct it and try again.',
    }),
  },

  'state-newer': {
    retryable: false,
    words: (c) => ({
      message: `The state in ${String(c.path)} was written by a newer version of Holdfast. It was not touched, and nothing runs by itself. ${unaffected}`,
      guidance: 'Install the newer version again.',
    }),
  },
  'state-failed': {
    retryable: true,
    words: (c) => ({
      message: `Holdfast's own state in ${String(c.path)} could not be read or written${because(c)}. What was just asked for was not done. ${unaffected}`,
      guidance: 'Make sure that its disk has space and can be written to, then try again.',
    }),
  },

  'secrets-unreadable': {
    retryable: false,
    words: (c) => ({
      message: `The file of secrets ${String(c.path)} cannot be used${because(c)}. ${unaffected}`,
      guidance: 'Mend it, or put back a copy of it; only you may be able to read it (mode 0600).',
    }),
  },
  'secrets-not-kept': {
    retryable: true,
    words: (c) => ({
      message: `A password could not be kept in ${String(c.path)}${because(c)}. What was kept before is still there.`,
      guidance: 'Make sure that there is space and that you may write there, then try again.',
    }),
  },

  'plan-not-found': {
    retryable: false,
    words: (c) => ({
      message: `There is no plan ${String(c.plan)}. Nothing was changed.`,
      guidance: 'See the plans with "holdfast plan list".',
    }),
  },
  'plan-ambiguous': {
    retryable: false,
    words: (c) => ({ message: `Several plans are called ${String(c.plan)}. Nothing was changed.`, guidance: 'Name the plan by its ID.' }),
  },
  'plan-without-destination': {
    retryable: false,
    words: (c) => ({
      message: `The plan “${String(c.plan)}” names destinations that are not connected here: ${String(c.destinations)}. Nothing was changed.`,
      guidance: 'Connect them first, then try again.',
    }),
  },
  'destination-not-found': {
    retryable: false,
    words: (c) => ({
      message: `There is no destination ${String(c.destination)}. Nothing was changed.`,
      guidance: 'See the destinations with "holdfast destination list".',
    }),
  },
  'destination-ambiguous': {
    retryable: false,
    words: (c) => ({
      message: `Several destinations are called ${String(c.destination)}. Nothing was changed.`,
      guidance: 'Name the destination by its ID.',
    }),
  },
  'destination-known': {
    retryable: false,
    words: (c) => ({
      message: `This repository is connected already, as “${String(c.name)}”. Nothing was changed.`,
      guidance: 'Use that destination; if its repository was moved, say so with "holdfast destination renew --place".',
    }),
  },
  'destination-in-use': {
    retryable: false,
    words: (c) => ({
      message: `The destination “${String(c.name)}” is used by ${String(c.plans)}. Nothing was changed.`,
      guidance: 'Take it out of these plans first.',
    }),
  },
  'destination-not-plugged-in': {
    retryable: true,
    words: (c) => ({
      message: `The drive of “${String(c.name)}” is not plugged in. ${unaffected}`,
      guidance: 'Plug it in; what is due runs by itself then.',
    }),
  },
  'destination-resting': {
    retryable: true,
    words: (c) => ({
      message: `“${String(c.name)}” failed a short while ago${because(c)}, so it is left alone for now. ${unaffected}`,
      guidance: 'Nothing needs to be done: it is tried again by itself, after longer and longer pauses.',
    }),
  },
  'destinations-all-fail': {
    retryable: true,
    words: (c) => ({
      message: `No destination of “${String(c.plan)}” can be used now${because(c)}. Nothing newer is backed up until one can; what is stored is not affected.`,
      guidance: 'Make one of them reachable again. The run is tried again by itself, after longer and longer pauses.',
    }),
  },
  'destination-swapped': {
    retryable: false,
    words: (c) => ({
      message: `At ${String(c.location)} lies another repository than the one of “${String(c.name)}”. Nothing was written there.`,
      guidance: 'Plug the right drive in, or connect this one as a destination of its own.',
    }),
  },
  'profile-in-use': {
    retryable: false,
    words: () => ({
      message: 'This profile has plans already, so no settings were taken over from a repository. Nothing was changed.',
      guidance: 'Remove its plans first, or choose another profile with HOLDFAST_PROFILE.',
    }),
  },
  'settings-not-found': {
    retryable: false,
    words: (c) => ({
      message: `Snapshot ${String(c.snapshot).slice(0, 8)} holds no settings that can be read. Nothing was changed.`,
      guidance: 'Choose another one of those that "holdfast recovery list" shows.',
    }),
  },
  'run-not-found': {
    retryable: false,
    words: (c) => ({
      message: `There is no run ${String(c.run)}. Nothing was changed.`,
      guidance: 'See the runs with "holdfast run list".',
    }),
  },
  'run-ended': {
    retryable: false,
    words: (c) => ({
      message: `Run ${String(c.run)} has ended already. Nothing was changed.`,
      guidance: 'See how it ended with "holdfast run show".',
    }),
  },
  'run-at-work': {
    retryable: false,
    words: (c) => ({
      message: `A run of “${String(c.plan)}” to this destination is at work or waiting already (run ${String(c.run)}). No second one was started.`,
      guidance: 'Wait until it has ended, or cancel it.',
    }),
  },
} as const satisfies Readonly<Record<string, Entry>>;

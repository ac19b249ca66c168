/** The frame around all screens: places, the state of the connection, logging in. */
export const frame = {
  brand: 'Holdfast',
  title: '{{place}} · Holdfast',
  skip: 'Skip to the content',
  places: 'Places',
  place: {
    home: 'Home',
    restore: 'Restore',
    history: 'History',
    plans: 'Plans',
    destinations: 'Destinations',
    settings: 'Settings',
  },
  service: {
    idle: 'Watching quietly',
    running_one: 'Backing up',
    running_other: '{{count}} runs at work',
    paused: 'Paused',
    pausedUntil: 'Paused until {{time}}',
    connecting: 'Connecting…',
    away: 'Service not running',
  },
  away: {
    title: 'Holdfast’s service is not running at the moment.',
    text: 'What you see is as it was when it was last heard of. Your backups are safe where they are; no new ones are made until it is back. This page connects again by itself.',
    textFirst: 'Your backups are safe where they are; no new ones are made until it is back. This page connects again by itself.',
    how: 'If it stays away, start Holdfast again, or run “holdfast serve” on that computer.',
  },
  otherAddress: {
    title: 'This address belongs to a service that has ended.',
    text: 'Holdfast was started again and has a new address. Your backups are not affected.',
    how: 'Open the address that “holdfast serve” has printed last.',
  },
  otherVersion: {
    title: 'Holdfast was updated while this page was open.',
    text: 'The page and the service are of two versions. Your backups go on.',
    reload: 'Load the page again',
  },
  login: {
    title: 'Log in to Holdfast',
    text: 'With the name and password that were made on the computer where Holdfast runs.',
    name: 'Name',
    password: 'Password',
    act: 'Log in',
  },
  notFound: {
    title: 'There is nothing at this address.',
    text: 'The page may have moved. Your backups are not affected.',
    act: 'Go to Home',
  },
  broken: {
    title: 'This screen could not be shown.',
    text: 'Something in the interface went wrong. Backups go on without it.',
    act: 'Load the page again',
    detail: 'For a report: {{cause}}',
  },
};

/** Names of what goes between the desktop shell and its preload script, which loads nothing that it does not need. */
export const desktopChannels = { call: 'holdfast:call', port: 'holdfast:port', go: 'holdfast:go', update: 'holdfast:update' } as const;

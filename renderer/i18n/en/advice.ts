/** Why something is proposed. */
export const advice = {
  period: { day: 'day', week: 'week', month: 'month', quarter: 'quarter', year: 'year' },
  reason: {
    interval: 'At most {{rpoMinutes}} of work can be lost, even when one backup fails.',
    'change-trigger': 'A change is backed up {{delaySeconds}} later.',
    'full-period': 'Once every {{period}} everything is read anew, which takes about {{fullSeconds}}.',
    'no-differential': 'So much changes in a week ({{weekBytes}} of {{sizeBytes}}) that differential backups would save nothing.',
    primary: 'From there everything is back in about {{restoreSeconds}}; you want {{rtoMinutes}}.',
    'off-site-copy': 'A copy elsewhere survives fire and theft. The first one takes about {{firstSeconds}}.',
    'further-copy': 'One more copy, in case the first place fails.',
    'too-slow-to-restore': 'From there everything is back in about {{restoreSeconds}}, longer than the {{rtoMinutes}} that you want.',
    'too-slow-to-store':
      'What changes in {{intervalMinutes}} takes about {{runSeconds}} to store: too long to lose at most {{rpoMinutes}}.',
    'same-disk': 'It is in this computer and does not survive a dead disk, fire or theft.',
    'drive-away': 'The drive must be plugged in at least every {{rpoMinutes}}.',
    'add-fast': 'Add a drive: from one everything is back in about {{restoreSeconds}}; you want {{rtoMinutes}}.',
    'add-off-site_one': 'Add a place elsewhere: the one copy that there is would not survive a fire here.',
    'add-off-site_other': 'Add a place elsewhere: none of the {{count}} copies would survive a fire here.',
    'add-copy_one': 'Add a second place: with one copy, one failure takes everything.',
    'add-copy_other': 'Add another place: there are {{count}} copies, and three are safe.',
  },
};

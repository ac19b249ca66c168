/** "Is this file protected?" */
export const protectedTexts = {
  title: 'Is this file protected?',
  act: 'Is a file protected?',
  path: 'File or folder',
  pathText: 'Type its whole path, or choose it below.',
  pathTextDrop: 'Type its whole path, choose it below, or drop it here.',
  choose: 'Choose a file or folder',
  answer: {
    yes: 'Yes: {{path}} is protected.',
    partly: 'Partly: not all of {{path}} is protected, or not yet.',
    no: 'No: {{path}} is not protected.',
  },
  off: '(switched off)',
  rule: {
    source: 'It is in {{source}}, and nothing leaves it out.',
    above: 'Only a part of it is protected: {{sources}}.',
    outside: 'It is in none of this plan’s folders.',
    excluded: 'It is left out by “{{by}}”, which concerns {{at}}.',
  },
  copy: '“{{destination}}” holds it; the newest copy there was made {{ago}}.',
  noCopy: '“{{destination}}” does not hold it yet.',
  unknownCopy: 'What “{{destination}}” holds is still being read.',
  noPlans: 'There is no plan yet.',
  others: 'Copies are in backups of others, too: {{hosts}}.',
};

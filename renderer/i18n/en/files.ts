/** Choosing files and folders of the computer that is backed up. */
export const files = {
  picker: {
    path: 'Folder',
    up: 'One folder up',
    folders: 'Folders',
    none: 'No folders in here. This folder itself can be used.',
    closed: 'cannot be opened',
    choose: 'Use this folder',
  },
};

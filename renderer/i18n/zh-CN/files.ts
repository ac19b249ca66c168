/** 选择要备份的电脑上的文件和文件夹。 */
import type { files as en } from '../en/files.ts';
import type { Texts } from '../texts.ts';

export const files: Texts<typeof en> = {
  picker: {
    path: '文件夹',
    up: '上一级文件夹',
    folders: '文件夹列表',
    none: '这里没有子文件夹，可以直接使用当前文件夹。',
    closed: '无法打开',
    choose: '使用此文件夹',
  },
};

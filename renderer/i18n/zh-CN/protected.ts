/** “这个文件受保护吗？” */
import type { protectedTexts as en } from '../en/protected.ts';
import type { Texts } from '../texts.ts';

export const protectedTexts: Texts<typeof en> = {
  title: '这个文件受保护吗？',
  act: '文件受保护吗？',
  path: '文件或文件夹',
  pathText: '输入完整路径，或在下面选择。',
  pathTextDrop: '输入完整路径、在下面选择，或拖放到这里。',
  choose: '选择文件或文件夹',
  answer: {
    yes: '是：{{path}} 受到保护。',
    partly: '部分：{{path}} 没有全部受到保护，或尚未备份。',
    no: '否：{{path}} 没有受到保护。',
  },
  off: '（已停用）',
  rule: {
    source: '它在 {{source}} 中，没有任何规则排除它。',
    above: '只有一部分受到保护：{{sources}}。',
    outside: '它不在此计划的任何文件夹中。',
    excluded: '它被“{{by}}”排除，涉及 {{at}}。',
  },
  copy: '“{{destination}}”中有它，最新副本创建于 {{ago}}。',
  noCopy: '“{{destination}}”中还没有它。',
  unknownCopy: '仍在读取“{{destination}}”的内容。',
  noPlans: '还没有计划。',
  others: '其他电脑的备份中也有副本：{{hosts}}。',
};

/** 恢复凭单。 */
import type { kit as en } from '../en/kit.ts';
import type { Texts } from '../texts.ts';

export const kit: Texts<typeof en> = {
  title: '恢复凭单',
  of: '用于“{{name}}”上的备份',
  text: '这一页写着在另一台电脑上找回文件所需的一切。请把它放在别处：打印出来，或存到 U 盘里。',
  withPassword: '把密码也写上',
  withPasswordText: '方便，但捡到这一页的人就能读取您的备份。不勾选时会留一行空白供手写。',
  print: '打印',
  save: '存为文件',
  fileName: 'Holdfast 恢复凭单，{{name}}',
  question: '拿到了吗？请输入上面的两个词。',
  word: '第 {{number}} 个词',
  wrong: '不是这个词。',
  check: '核对',
  saved: '恢复凭单已在您手中。',
  done: '完成',
  page: {
    title: '恢复凭单：{{name}}',
    text: '有了这一页和密码，就能在任何电脑上恢复备份。请不要和它所属的电脑放在一起。',
    place: '备份所在',
    volume: '硬盘和文件夹',
    repository: '仓库',
    computer: '制作于电脑',
    madeAt: '制作时间',
    password: '密码',
    words: 'Holdfast 用来确认您持有本页的词',
    protects: '保护的内容',
    how: '如何找回文件',
    howText: '在另一台电脑上安装 Holdfast，选择“我已经有备份”，填写位置和密码。也可以用命令行：',
    withHoldfast: '使用 Holdfast',
    withRestic: '使用 restic（能读取同一格式的另一个程序）',
  },
};

/** The words of receipts, which are saved as they are and read without Holdfast. */
import type { RestoreReceipt } from '../../contract/restore-request.ts';

export interface ReceiptWords {
  readonly title: string;
  readonly result: string;
  readonly results: Readonly<Record<RestoreReceipt['result'], string>>;
  readonly error: string;
  readonly snapshot: string;
  readonly readFrom: string;
  readonly failedBefore: string;
  readonly rescued: string;
  readonly rescuedText: (pieces: string, name: string) => string;
  readonly items: string;
  readonly target: string;
  readonly original: string;
  readonly conflicts: string;
  readonly policies: Readonly<Record<RestoreReceipt['conflicts'], string>>;
  readonly started: string;
  readonly ended: string;
  readonly created: string;
  readonly replaced: string;
  readonly beside: string;
  readonly same: string;
  readonly kept: string;
  readonly folders: string;
  readonly bytes: string;
  readonly compared: string;
  readonly comparedText: (entries: string, bytes: string, different: string) => string;
  readonly undo: string;
  readonly problems: string;
}

const english: ReceiptWords = {
  title: 'Holdfast: receipt of a restore',
  result: 'Result',
  results: {
    waiting: 'waiting',
    running: 'running',
    paused: 'paused',
    succeeded: 'everything was restored',
    'completed-with-warnings': 'restored, but not all of it: see below',
    failed: 'failed',
    cancelled: 'cancelled',
    interrupted: 'interrupted',
    skipped: 'not begun',
  },
  error: 'What happened',
  snapshot: 'State of',
  readFrom: 'Read from',
  failedBefore: 'Could not be read',
  rescued: 'Damaged there',
  rescuedText: (pieces, name) => `pieces of data that came from “${name}” instead: ${pieces}`,
  items: 'Restored',
  target: 'To',
  original: 'where it was',
  conflicts: 'Files that were there',
  policies: {
    overwrite: 'replaced',
    'keep-newer': 'replaced where older',
    'keep-both': 'kept beside the restored ones',
    skip: 'kept',
  },
  started: 'Begun',
  ended: 'Ended',
  created: 'New',
  replaced: 'Replaced',
  beside: 'Restored beside another',
  same: 'Were the same',
  kept: 'Kept as they were',
  folders: 'Folders',
  bytes: 'Written',
  compared: 'Compared afterwards',
  comparedText: (entries, bytes, different) => `${entries} (${bytes}), ${different} different`,
  undo: 'Can be undone by',
  problems: 'Problems',
};

const chinese: ReceiptWords = {
  title: 'Holdfast：恢复凭据',
  result: '结果',
  results: {
    waiting: '等待中',
    running: '进行中',
    paused: '已暂停',
    succeeded: '已全部恢复',
    'completed-with-warnings': '已恢复，但有遗漏：见下文',
    failed: '失败',
    cancelled: '已取消',
    interrupted: '已中断',
    skipped: '未开始',
  },
  error: '发生了什么',
  snapshot: '所恢复的时刻',
  readFrom: '读取自',
  failedBefore: '未能读取',
  rescued: '该处损坏的内容',
  rescuedText: (pieces, name) => `改从“${name}”读取的数据块：${pieces}`,
  items: '恢复的内容',
  target: '恢复到',
  original: '原来的位置',
  conflicts: '已存在的文件',
  policies: { overwrite: '被替换', 'keep-newer': '较旧的被替换', 'keep-both': '与恢复的文件并存', skip: '保持不变' },
  started: '开始',
  ended: '结束',
  created: '新建',
  replaced: '替换',
  beside: '恢复为另一名称',
  same: '内容本已相同',
  kept: '保持不变',
  folders: '文件夹',
  bytes: '写入',
  compared: '事后逐字节比对',
  comparedText: (entries, bytes, different) => `${entries} 项（${bytes}），其中 ${different} 项不同`,
  undo: '撤销编号',
  problems: '问题',
};

export const receiptWords: Readonly<Record<'en' | 'zh-CN', ReceiptWords>> = { en: english, 'zh-CN': chinese };

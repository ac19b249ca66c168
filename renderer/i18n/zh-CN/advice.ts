/** 为什么这样建议。 */
import type { advice as en } from '../en/advice.ts';
import type { Texts } from '../texts.ts';

export const advice: Texts<typeof en> = {
  period: { day: '天', week: '周', month: '月', quarter: '季度', year: '年' },
  reason: {
    interval: '即使有一次备份失败，最多也只会丢失 {{rpoMinutes}}的内容。',
    'change-trigger': '文件改动 {{delaySeconds}}后就会备份。',
    'full-period': '每{{period}}完整读取一次，大约需要 {{fullSeconds}}。',
    'no-differential': '一周的改动太多（{{sizeBytes}} 中有 {{weekBytes}}），差异备份省不了什么。',
    primary: '从那里恢复全部内容大约需要 {{restoreSeconds}}，您的期望是 {{rtoMinutes}}。',
    'off-site-copy': '异地副本不怕火灾和失窃。第一次大约需要 {{firstSeconds}}。',
    'further-copy': '再多一份副本，以防第一个位置出问题。',
    'too-slow-to-restore': '从那里恢复全部内容大约需要 {{restoreSeconds}}，超过您期望的 {{rtoMinutes}}。',
    'too-slow-to-store': '{{intervalMinutes}}内的改动大约要 {{runSeconds}}才能存完，无法保证最多只丢失 {{rpoMinutes}}的内容。',
    'same-disk': '它就在这台电脑里，硬盘损坏、火灾或失窃时会一起丢失。',
    'drive-away': '至少每 {{rpoMinutes}}要插一次这块硬盘。',
    'add-fast': '建议加一块硬盘：从硬盘恢复全部内容大约需要 {{restoreSeconds}}，您的期望是 {{rtoMinutes}}。',
    'add-off-site_other': '建议加一个异地位置：现有的 {{count}} 份都挡不住这里的一场火灾。',
    'add-copy_other': '建议再加一个位置：现在有 {{count}} 份，三份才稳妥。',
  },
};

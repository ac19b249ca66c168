/** 用文字表达的时间安排。 */
import type { schedule as en } from '../en/schedule.ts';
import type { Texts } from '../texts.ts';

export const schedule: Texts<typeof en> = {
  never: '仅在您手动启动时',
  sentence: '{{words}}。',
  everyMinutes_other: '每 {{count}} 分钟',
  everyHours_other: '每 {{count}} 小时',
  everyDays_other: '每 {{count}} 天',
  daily: '每天 {{at}}',
  weekly: '{{days}} {{at}}',
  monthly: '每月{{days}} {{at}}',
  day: '{{day}} 日',
  lastDay: '最后一天',
  cron: '按“{{expression}}”',
  change: '文件有变化时',
  drive: '插入硬盘时',
  login: '登录时',
};

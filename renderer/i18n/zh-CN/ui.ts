/** 通用部件：状态、大小、时间、随处可见的按钮。 */
import type { ui as en } from '../en/ui.ts';
import type { Texts } from '../texts.ts';

export const ui: Texts<typeof en> = {
  loading: '正在加载…',
  close: '关闭',
  cancel: '取消',
  back: '上一步',
  continue: '继续',
  tryAgain: '再试一次',
  showPassword: '显示输入的内容',
  details: '详细信息',
  state: {
    fine: '正常',
    attention: '需要留意',
    risk: '有风险',
    working: '进行中',
    paused: '已暂停',
    idle: '尚未开始',
  },
  justNow: '刚刚',
  seconds_other: '{{count}} 秒',
  fewSeconds: '几秒钟',
  minutes_other: '{{count}} 分钟',
  hours_other: '{{count}} 小时',
  days_other: '{{count}} 天',
  hoursMinutes: '{{hours}} 小时 {{minutes}} 分',
  daysHours: '{{days}} 天 {{hours}} 小时',
  perSecond: '{{size}}/秒',
  secondsLeft: '大约还需 {{span}}',
  ofTotal: '{{done}}，共 {{total}}',
  percent: '{{percent}}%',
  errorUnknown: '供反馈时使用：{{code}}',
  moreWhere: '系统的原话',
};

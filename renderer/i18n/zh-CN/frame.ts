/** 所有页面的外框：导航、连接状态、登录。 */
import type { frame as en } from '../en/frame.ts';
import type { Texts } from '../texts.ts';

export const frame: Texts<typeof en> = {
  brand: 'Holdfast',
  title: '{{place}} · Holdfast',
  skip: '跳到正文',
  places: '导航',
  place: {
    home: '首页',
    restore: '恢复',
    history: '历史',
    plans: '计划',
    destinations: '备份位置',
    settings: '设置',
  },
  service: {
    idle: '正在安静守护',
    running_other: '{{count}} 个任务进行中',
    paused: '已暂停',
    pausedUntil: '暂停到 {{time}}',
    connecting: '正在连接…',
    away: '后台服务未运行',
  },
  away: {
    title: 'Holdfast 的后台服务目前没有运行。',
    text: '您看到的是最后一次收到的状态。已有的备份都完好无损，服务恢复之前不会产生新的备份。本页面会自动重新连接。',
    textFirst: '已有的备份都完好无损，服务恢复之前不会产生新的备份。本页面会自动重新连接。',
    how: '如果一直没有恢复，请重新启动 Holdfast，或在那台电脑上运行“holdfast serve”。',
  },
  otherAddress: {
    title: '这个地址属于一个已经结束的服务。',
    text: 'Holdfast 已重新启动，地址也换了。您的备份不受影响。',
    how: '请打开“holdfast serve”最近一次显示的地址。',
  },
  otherVersion: {
    title: '页面打开期间，Holdfast 已经更新。',
    text: '页面和后台服务的版本不一致。备份会照常进行。',
    reload: '重新加载页面',
  },
  login: {
    title: '登录 Holdfast',
    text: '请使用在运行 Holdfast 的电脑上创建的用户名和密码。',
    name: '用户名',
    password: '密码',
    act: '登录',
  },
  notFound: {
    title: '这个地址没有内容。',
    text: '页面可能已经移走。您的备份不受影响。',
    act: '回到首页',
  },
  broken: {
    title: '这个页面无法显示。',
    text: '界面出了点问题，备份不受影响，仍在继续。',
    act: '重新加载页面',
    detail: '供反馈时使用：{{cause}}',
  },
};

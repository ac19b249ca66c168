/** 设置与关于。 */
import type { settings as en } from '../en/settings.ts';
import type { Texts } from '../texts.ts';

export const settings: Texts<typeof en> = {
  look: '外观与语言',
  language: { label: '语言', system: '跟随系统', en: 'English', 'zh-CN': '简体中文' },
  theme: { label: '外观', system: '跟随系统', light: '浅色', dark: '深色' },
  notifications: { label: '通知', text: '需要您处理时提醒您，解决后也会告知。' },
  work: '运行时',
  gentle: { label: '为其他程序让路', text: '其他程序需要电脑时，备份会让出资源。' },
  threads: { label: '处理器核心', text: '一次运行最多使用几个核心。', all: '全部' },
  rate: {
    upload: '上传速度上限',
    download: '下载速度上限',
    text: '每秒字节数，例如 500K 或 2M；也可按时段：08:00-18:00=500K,2M',
    none: '不限',
  },
  pause: {
    title: '暂停',
    running: '备份会自动进行。',
    paused: '备份已暂停，直到您恢复。',
    pausedUntil: '备份已暂停到 {{time}}。',
    text: '暂停期间不会自动开始任何备份，正在运行的会等待。',
    resume: '恢复运行',
    hour: '1 小时',
    tomorrow: '到明天',
    resumed: '直到我恢复',
  },
  keeping: '历史与帮助',
  keepRuns: { label: '运行历史保留', text: '至少保留这么久；每种类型最新的记录会保留更久。', days: '天' },
  diagnostics: {
    label: '诊断信息',
    text: '供帮助您的人查看的文本。其中没有密码和密钥，交给别人之前请先看一遍。',
    act: '保存诊断信息',
    saved: '已保存 {{name}}。',
  },
  about: {
    label: '关于 Holdfast',
    text: '版本以及数据存放的位置。',
    act: '查看',
    title: '关于 Holdfast',
    back: '设置',
    version: '版本',
    running: '启动时间',
    profile: '此配置的数据',
    format: '格式',
    formatText: '备份采用 restic 第 2 版仓库格式，其他程序也可以恢复。',
    licences_other: '其中使用的他人成果：{{count}} 个软件包',
  },
  session: { label: '此浏览器', text: '会一直保持登录，直到您退出。', act: '退出登录' },
};

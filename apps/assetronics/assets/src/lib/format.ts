// Every way in which the pages write numbers, dates and codes.

const locale = 'en'
const money = new Intl.NumberFormat(locale, { style: 'currency', currency: 'USD' })
const wholeMoney = new Intl.NumberFormat(locale, { style: 'currency', currency: 'USD', maximumFractionDigits: 0 })
const shortMoney = new Intl.NumberFormat(locale, {
  style: 'currency', currency: 'USD', notation: 'compact', maximumFractionDigits: 1,
})
const whole = new Intl.NumberFormat(locale)
const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })
const moment = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' })
const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' })
const weekday = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' })

export const formatMoney = (value: number | null) =>
  value === null ? '' : (Number.isInteger(value) ? wholeMoney : money).format(value)
export const formatShortMoney = (value: number) => shortMoney.format(value)
export const formatCount = (value: number) => whole.format(value)
/** A `YYYY-MM-DD` date, which has no time zone. */
export const formatDate = (value: string | null) => (value ? day.format(new Date(`${value}T00:00:00Z`)) : '')
export const formatMoment = (value: string | null) => (value ? moment.format(new Date(value)) : '')
export const formatClock = (value: string) => clock.format(new Date(value))

/** "in_repair" → "In repair". */
export function humanize(code: string): string {
  const words = code.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** "just now", "4 min ago", "3 h ago", "5 d ago", then the date. */
export function formatAgo(value: string, now: number): string {
  const seconds = Math.round((now - Date.parse(value)) / 1000)
  if (seconds < 10) return 'just now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`
  if (seconds < 7 * 86400) return `${Math.floor(seconds / 86400)} d ago`
  return formatDate(new Date(value).toISOString().slice(0, 10))
}

/** The heading under which an activity stands. */
export function formatDay(value: string, now: number): string {
  const date = new Date(value)
  const today = new Date(now)
  const yesterday = new Date(now - 86_400_000)
  if (date.toDateString() === today.toDateString()) return 'Today'
  if (date.toDateString() === yesterday.toDateString()) return 'Yesterday'
  return date.getFullYear() === today.getFullYear() ? weekday.format(date) : formatDate(value.slice(0, 10))
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(0)} KB`
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`
}

export function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean)
  return ((words[0]?.[0] ?? '?') + (words.length > 1 ? (words.at(-1)?.[0] ?? '') : '')).toUpperCase()
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}

import type { ProcessRow } from '../types.ts'

/** A row where it stands in the tree. */
export interface Branch {
  row: ProcessRow
  level: number
  parent: number
  hasChildren: boolean
  expanded: boolean
}

/** The rows in the order of the tree, without what is below collapsed ones. */
export function branchesOf(rows: Iterable<ProcessRow>, collapsed: ReadonlySet<number>): Branch[] {
  const below = new Map<number, ProcessRow[]>()
  for (const row of rows) {
    const siblings = below.get(row.parent)
    if (siblings) siblings.push(row)
    else below.set(row.parent, [row])
  }
  const branches: Branch[] = []
  const walk = (parent: number, level: number) => {
    for (const row of (below.get(parent) ?? []).sort((a, b) => a.position - b.position || a.key - b.key)) {
      const hasChildren = below.has(row.key)
      const expanded = hasChildren && !collapsed.has(row.key)
      branches.push({ row, level, parent, hasChildren, expanded })
      if (expanded) walk(row.key, level + 1)
    }
  }
  walk(0, 1)
  return branches
}

/** "bennu::net::HttpServer" → "net::HttpServer", "assetronics::ops::(anonymous namespace)::X" → "ops::X". */
export function shortType(type: string): string {
  return type
    .replaceAll('(anonymous namespace)::', '')
    .split('::')
    .slice(-2)
    .join('::')
    .replace(/^(bennu|assetronics)::/, '')
}

export const missed = -1
export const restarted = -2
export const keptBeats = 60

/** What to say of a process, and how alarming it is. */
export function condition(row: ProcessRow, silentTicks: number): { text: string; tone: 'green' | 'amber' | 'red' | 'grey' } {
  if (row.state === 'gave_up') return { text: 'gave up', tone: 'red' }
  if (row.state === 'stopped' || row.state === 'finished') return { text: row.state, tone: 'grey' }
  if (row.state !== 'running') return { text: row.state === 'waiting' ? 'restarting' : row.state, tone: 'amber' }
  if (silentTicks >= 4) return { text: 'no answer', tone: 'amber' }
  return { text: 'running', tone: 'green' }
}

/** How many beats in a row are missing at the end. */
export function silence(beats: readonly number[]): number {
  let count = 0
  while (count < beats.length && beats[beats.length - 1 - count] === missed) count++
  return count
}

import { defineStore } from 'pinia'
import { computed, reactive, shallowRef, triggerRef } from 'vue'
import type { TreeChanges, TreeSeen } from '../channels.ts'
import { keptBeats, missed, restarted, silence } from '../lib/process-tree.ts'
import type { ProcessRow, RestartRow, RuntimeTotals } from '../types.ts'

/** The runs of the last ticks of one process, for a rate. */
const rateTicks = 8
const keptRestarts = 100

export const useProcesses = defineStore('processes', () => {
  const rows = shallowRef(new Map<number, ProcessRow>())
  const beats = shallowRef(new Map<number, number[]>())
  const rates = shallowRef(new Map<number, number>())
  const restarts = shallowRef<RestartRow[]>([])
  const totals = shallowRef<RuntimeTotals | null>(null)
  const state = reactive({ seq: 0, ticks: 0, tickMs: 250 })
  let runs = new Map<number, number[]>()
  /** Rows that nobody had asked for a sign of life when the last message was made. */
  let fresh = new Set<number>()

  const all = computed(() => [...rows.value.values()])
  const get = (key: number) => rows.value.get(key)
  const beatsOf = (key: number) => beats.value.get(key) ?? []
  const silentTicks = (row: ProcessRow) => (row.answers ? silence(beatsOf(row.key)) : 0)
  /** Newest first: restarts that ended or began with this place's processes. */
  const restartsOf = (row: ProcessRow) => {
    const supervisor = rows.value.get(row.parent)?.pid
    return restarts.value.filter((each) => (each.child === row.id && each.supervisor === supervisor) || (row.pid !== '' && each.pid === row.pid))
  }

  function replaceAll(message: TreeSeen) {
    const tracks = new Map<number, number[]>()
    // Tracks go on when it is the same tree that was lost from sight.
    for (const row of message.processes) tracks.set(row.key, rows.value.get(row.key)?.id === row.id ? beatsOf(row.key) : [])
    rows.value = new Map(message.processes.map((row) => [row.key, row]))
    beats.value = tracks
    rates.value = new Map()
    runs = new Map()
    fresh = new Set(rows.value.keys())
    restarts.value = message.restarts
    totals.value = message.totals
    state.seq = message.seq
  }

  /** False when messages between this one and the last are missing. */
  function apply(message: TreeChanges): boolean {
    if (message.seq <= state.seq) return true
    if (message.seq !== state.seq + 1) return false
    state.seq = message.seq
    state.ticks++
    const marked = new Set<number>()
    for (const row of message.added) {
      rows.value.set(row.key, row)
      fresh.add(row.key)
    }
    for (const fields of message.changed) {
      const before = rows.value.get(fields.key)
      if (!before) return false
      if (fields.pid) marked.add(fields.key)
      rows.value.set(fields.key, { ...before, ...fields })
    }
    for (const key of message.removed) {
      for (const map of [rows.value, beats.value, rates.value, runs]) map.delete(key)
    }
    const answered = new Map(message.beats.map(([key, microseconds]) => [key!, microseconds!]))
    for (const row of rows.value.values()) {
      const beat = marked.has(row.key) ? restarted : (answered.get(row.key) ?? missed)
      if (beat !== missed || !fresh.has(row.key)) beats.value.set(row.key, [...beatsOf(row.key).slice(1 - keptBeats), beat])
      measure(row, marked.has(row.key))
    }
    if (message.restarts.length) {
      const known = new Map(restarts.value.map((each) => [each.id, each]))
      for (const each of message.restarts) known.set(each.id, each)
      restarts.value = [...known.values()].sort((a, b) => b.at.localeCompare(a.at) || b.id.localeCompare(a.id, 'en', { numeric: true })).slice(0, keptRestarts)
    }
    if (message.totals) totals.value = message.totals
    fresh = new Set(message.added.map((row) => row.key))
    for (const each of [rows, beats, rates]) triggerRef(each)
    return true
  }

  function measure(row: ProcessRow, anew: boolean) {
    const counts = anew ? [row.runs] : [...(runs.get(row.key) ?? []).slice(-rateTicks), row.runs]
    runs.set(row.key, counts)
    const ticks = counts.length - 1
    rates.value.set(row.key, ticks === 0 ? 0 : Math.max(0, ((row.runs - counts[0]!) * 1000) / (ticks * state.tickMs)))
  }

  return { rows, beats, rates, restarts, totals, state, all, get, beatsOf, silentTicks, restartsOf, replaceAll, apply }
})

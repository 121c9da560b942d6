// Processes, messages and timers: ours beside Erlang/OTP, each measurement in a fresh program, in turns.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { alternate, count, medians, row, smoke, spread } from '../lib/measure.mjs'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const bench = process.env.BENCH_RUNTIME ?? at('../../build/release/benches/runtime/bench_runtime')
const rounds = smoke ? 1 : 3
const scale = smoke ? 100 : 1

const compiled = mkdtempSync(join(tmpdir(), 'bench-beam-'))
process.on('exit', () => rmSync(compiled, { recursive: true, force: true }))
execFileSync('erlc', ['-o', compiled, at('peers/beam.erl')])

function values(program, args) {
    const text = execFileSync(program, args, { encoding: 'utf8', timeout: 120_000 })
    return Object.fromEntries(text.trim().split('\n').map((line) => line.split(' ')).map(([name, value]) => [name, Number(value)]))
}
const subjects = [
    { name: 'bennu', measure: (mode, n) => values(bench, [mode, `${n}`]) },
    // Room for a million processes, no sleeping schedulers while we look.
    { name: 'beam', measure: (mode, n) => values('erl', ['-noshell', '+P', '2000000', '-pa', compiled, '-run', 'beam', 'main', mode, `${n}`]) },
]
const compare = async (mode, ours, theirs = ours) => {
    const results = await alternate(rounds, subjects, async ({ name, measure }) => measure(mode, Math.ceil((name === 'bennu' ? ours : theirs) / scale)))
    return [results.bennu, results.beam]
}
const alone = (mode, n) => medians(Array.from({ length: rounds }, () => subjects[0].measure(mode, Math.ceil(n / scale))))

const figures = [
    ['idle_bytes', 'bytes', 1_000_000, 1_000_000, 20, true, '1,000,000 idle processes; resident set divided by count, list of names taken off'],
    ['spawn_exit', '/s', 3_000_000, 500_000, 15, false, 'spawn, monitor, kill, down, in batches of 100 from one process'],
    ['call_local', '/s', 5_000_000, 1_000_000, 20, false, 'call and reply on one shard; GenServer.call'],
    ['call_cross_100', '/s', 5_000_000, 1_000_000, 20, false, '100 callers on one shard, the server on the other'],
    ['ring', 'hops/s', 20_000_000, 3_000_000, 12, false, '1,000 processes, one token'],
]
for (const [mode, unit, ours, theirs, target, less, what] of figures) {
    const [mine, beam] = await compare(mode, ours, theirs)
    const [a, b] = [medians(mine), medians(beam)]
    const extra = a.p99_us === undefined ? '' : `, p50 ${a.p50_us} µs, p99 ${a.p99_us} µs, ${a.cpu_per_wall.toFixed(2)} cores`
    row({ id: `runtime.${mode}`, unit, ours: a[mode], peer: b[mode], peerName: 'BEAM', target, better: less ? 'less' : 'more', note: `${what}; ${spread(mine.map((r) => r[mode]))}${extra}` })
}
const bare = alone('ping_pong', 3_000_000)
const cross = alone('call_cross_1', 500_000)
row({ id: 'runtime.call_cross_1', unit: '/s', ours: cross.call_cross_1, peer: bare.ping_pong, peerName: 'two threads', target: 0.25, note: `one call at a time across shards, beside two threads and two atomics; p50 ${cross.p50_us} µs, p99 ${cross.p99_us} µs, ${cross.cpu_per_wall.toFixed(2)} cores` })
const timers = alone('timers_1m', 1_000_000)
row({ id: 'runtime.timers_1m', unit: 'ms', ours: timers.longest_ms, peer: 1, peerName: '1 ms', target: 1, better: 'less', note: `longest turn while 1,000,000 timers fire within a second; armed at ${count(timers.arm_per_second)}/s` })
const restart = alone('restart', 1000)
row({ id: 'runtime.restart', unit: 'µs', ours: restart.p99_us, peer: 20, peerName: '20 µs', target: 1, better: 'less', note: `p99 from crash to the first answer of the restarted child; p50 ${restart.p50_us} µs` })

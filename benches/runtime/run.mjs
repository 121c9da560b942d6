// Processes, messages and timers: ours beside Erlang/OTP, each measurement in a fresh program, in turns.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { alternate, count, medians, row, smoke, spread } from '../lib/measure.mjs'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const built = (name) => at(`../../build/release/benches/runtime/${name}`)
const bench = process.env.BENCH_RUNTIME ?? built('bench_runtime')
const tables = process.env.BENCH_TABLES ?? built('bench_tables')
const rounds = smoke ? 1 : 3
const scale = smoke ? 100 : 1

const compiled = mkdtempSync(join(tmpdir(), 'bench-beam-'))
process.on('exit', () => rmSync(compiled, { recursive: true, force: true }))
execFileSync('erlc', ['-o', compiled, at('peers/beam.erl')])

function values(program, args) {
    const text = execFileSync(program, args, { encoding: 'utf8', timeout: 120_000 })
    return Object.fromEntries(text.trim().split('\n').map((line) => line.split(' ')).map(([name, value]) => [name, Number(value)]))
}
const ours = (mode, n) => values(mode.startsWith('table_') ? tables : bench, [mode, `${n}`])
// Room for a million processes, no sleeping schedulers while we look.
const theirs = (mode, n) => values('erl', ['-noshell', '+P', '2000000', '-pa', compiled, '-run', 'beam', 'main', mode, `${n}`])
const subjects = [{ name: 'bennu', measure: ours }, { name: 'beam', measure: theirs }]
const alone = (mode, n) => medians(Array.from({ length: rounds }, () => ours(mode, Math.ceil(n / scale))))
const cores = (result) => `${result.cpu_per_wall.toFixed(2)} cores`

/** A figure of both, in turns, and the row that says so. `extra` turns our medians into more text of the note. */
async function compare({ mode, unit, counts: [mine, others = mine], target, better = 'more', peer = 'BEAM', what, extra = () => '' }) {
    const results = await alternate(rounds, subjects, ({ name, measure }) =>
        measure(mode, Math.ceil((name === 'bennu' ? mine : others) / scale)))
    const [a, b] = [medians(results.bennu), medians(results.beam)]
    const note = `${what}; ${spread(results.bennu.map((one) => one[mode]))}${extra(a)}`
    row({ id: `runtime.${mode}`, unit, ours: a[mode], peer: b[mode], peerName: peer, target, better, note })
}

await compare({
    mode: 'idle_bytes', unit: 'bytes', counts: [1_000_000], target: 2712 / 128, better: 'less',
    what: '1,000,000 idle processes; resident set divided by count, list of names taken off; at most 128 wanted',
})
await compare({
    mode: 'idle_bytes_supervised', unit: 'bytes', counts: [1_000_000, 200_000], target: 3133 / 224, better: 'less', peer: 'gen_server',
    what: 'temporary children of a dynamic supervisor, each with a name; gen_server under simple_one_for_one, named by a row in ETS; at most 224 wanted',
    extra: (a) => `, permanent ones ${count(a.permanent)}`,
})
await compare({
    mode: 'spawn_exit', unit: '/s', counts: [3_000_000, 500_000], target: 15,
    what: 'spawn, monitor, kill, down, in batches of 100 from one process',
})
await compare({
    mode: 'call_local', unit: '/s', counts: [5_000_000, 1_000_000], target: 20, peer: 'GenServer.call',
    what: 'call and reply on one shard', extra: (a) => `, ${cores(a)}`,
})
await compare({
    mode: 'call_cross_100', unit: '/s', counts: [10_000_000, 1_000_000], target: 1e7 / 945_000, peer: 'GenServer.call',
    what: '100 callers on one shard, the server on the other; 10 million/s wanted',
    extra: (a) => `, p50 ${a.p50_us} µs, p99 ${a.p99_us} µs, ${cores(a)}`,
})
await compare({ mode: 'ring', unit: 'hops/s', counts: [20_000_000, 3_000_000], target: 12, what: '1,000 processes, one token' })
const both = 'from two threads at once'
for (const [mode, n, beamN, target, what] of [
    ['table_read_1k', 64_000_000, 8_000_000, 5, `reads of 1,000 keys ${both}; read_concurrency`],
    ['table_read_1m', 32_000_000, 4_000_000, 5, `reads of 1,000,000 keys ${both}; read_concurrency`],
    ['table_write', 32_000_000, 2_000_000, 5, `writes to 1,000 keys ${both}; write_concurrency`],
    ['table_counter', 32_000_000, 4_000_000, 4, `additions to one key ${both}; write_concurrency`],
]) {
    await compare({ mode, unit: '/s', counts: [n, beamN], target, peer: 'ETS', what, extra: (a) => `, ${a.cpu_ns} ns each` })
}

const bare = alone('ping_pong', 3_000_000)
const cross = alone('call_cross_1', 500_000)
row({ id: 'runtime.call_cross_1', unit: '/s', ours: cross.call_cross_1, peer: bare.ping_pong, peerName: 'two threads', target: 0.25, note: `one call at a time across shards, beside two threads and two atomics; p50 ${cross.p50_us} µs, p99 ${cross.p99_us} µs, ${cores(cross)}` })
const timers = alone('timers_1m', 1_000_000)
row({ id: 'runtime.timers_1m', unit: 'ms', ours: timers.longest_ms, peer: 1, peerName: '1 ms', target: 1, better: 'less', note: `longest turn while 1,000,000 timers fire within a second; armed at ${count(timers.arm_per_second)}/s` })
const restart = alone('restart', 1000)
row({ id: 'runtime.restart', unit: 'µs', ours: restart.p99_us, peer: 20, peerName: '20 µs', target: 1, better: 'less', note: `p99 from crash to the first answer of the restarted child, on a shard that works; p50 ${restart.p50_us} µs; on one that slept 3 ms, caches cold: p50 ${restart.asleep_p50_us}, p99 ${restart.asleep_p99_us} µs` })
const crowd = alone('ten_million', 10_000_000)
const mib = (bytes) => `${count(bytes / 2 ** 20)} MiB`
row({ id: 'runtime.ten_million', unit: 'bytes', ours: crowd.ten_million, peer: 2.5 * 2 ** 30, peerName: '2.5 GiB', target: smoke ? null : 1, better: 'less', note: `resident while 10,000,000 processes hold a message each; spawned in ${crowd.spawn_seconds} s, all messages handled after ${crowd.seconds} s; what they leave (${mib(crowd.bytes_after)}) is used again: a second crowd took ${crowd.seconds_again} s and ${mib(crowd.ten_million_again)}` })

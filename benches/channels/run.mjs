// Joined sockets: what a broadcast, an echo and an idle socket cost, ours beside npm ws, socket.io and a server that only
// writes the bytes. The servers run on one core and the load on another, the same for everybody.
import { fileURLToPath } from 'node:url'
import { alternate, count, medians, row, smoke, spread } from '../lib/measure.mjs'
import { joinStorm } from './join_storm.mjs'
import { million } from './million.mjs'
import { cores, output, pinned, startServer } from '../lib/server.mjs'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const built = (path) => at(`../../build/release/${path}`)
const load = built('benches/load/bench_load')
const [serverCore, loadCore] = cores().length > 1 ? cores() : []

// All groups, or those that are named: broadcast, echo, idle, presence, storm, churn, million.
const named = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const wanted = (group) => named.length === 0 || named.includes(group)

const rounds = smoke ? 1 : 5
const seconds = smoke ? 0.3 : 3
const sockets = smoke ? 50 : 1000
const tenfold = smoke ? 100 : 10000
// As many as one process may have: it often may open 20,000 descriptors at most.
const idleSockets = smoke ? 200 : 19000

const bennu = {
    name: 'bennu', dialect: 'phoenix',
    command: (port) => [process.env.BENCH_HELLO ?? built('examples/hello/example_hello'), '--port', port],
}
// A hall with presence: `seat:1` is one topic that everybody joins, each with a presence entry of its own; `door:1` has none.
const hall = {
    name: 'hall', dialect: 'phoenix', command: (port) => [built('benches/channels/server/bench_channel_server'), '--port', port],
}
const ws = { name: 'ws', dialect: 'raw', command: (port) => [process.execPath, at('peers/ws.mjs'), port] }
const socketIo = { name: 'socket.io', dialect: 'socketio', command: (port) => [process.execPath, at('peers/socket_io.mjs'), port] }
const bare = { name: 'bare', dialect: 'raw', command: (port) => [built('benches/load/bench_bare_server'), '--port', port] }

/** One run of the load generator against a server of its own. A subject's own `options` come last. */
async function drive(subject, mode, options) {
    const server = await startServer({ ...subject, core: serverCore, env: { ...process.env, NODE_ENV: 'production' } })
    try {
        const args = { port: server.port, dialect: subject.dialect, 'server-pid': server.pid, ...options, ...subject.options }
        const words = Object.entries(args).flatMap(([name, value]) => [`--${name}`, value])
        return JSON.parse(await output(pinned(loadCore, [load, mode, ...words]), { timeout: 600000 }))
    } finally {
        await server.stop()
    }
}

const limited = (results) => {
    const times = results.filter((result) => result.limit === 'generator').length
    return times ? `, the load generator was the limit in ${times} of ${results.length}` : ''
}

/** Measures a timed mode for all subjects and prints a row for each peer. */
async function timed({ id, unit, mode, subjects, options, targets }) {
    if (!wanted(mode === 'echo' ? 'echo' : 'broadcast')) return
    console.error(`${id}: ${subjects.map((subject) => subject.name).join(', ')}`)
    const results = await alternate(rounds, subjects, (subject) => drive(subject, mode, { sockets, seconds, ...options }))
    const says = (name) => {
        const middle = medians(results[name])
        return `${name} ${count(middle.per_second)}/s ${spread(results[name].map((one) => one.per_second))}, ` +
            `p50 ${count(middle.p50_us)} µs, p99 ${count(middle.p99_us)} µs, server CPU ${middle.server_cpu_us_each.toFixed(2)} µs each` +
            limited(results[name])
    }
    const perSecond = (name) => medians(results[name]).per_second
    for (const { suffix, peer, target } of targets) {
        row({
            id: id + suffix, unit, ours: perSecond('bennu'), peer: perSecond(peer.name), peerName: peer.name, target,
            note: suffix === '' ? `${says('bennu')}; ${says(peer.name)}; ${rounds} rounds of ${seconds} s` : says(peer.name),
        })
    }
}

await timed({
    id: 'channels.broadcast_1k', unit: 'deliveries/s', mode: 'channels-broadcast', subjects: [bennu, ws, socketIo, bare],
    options: { messages: smoke ? 20 : 1000000, payload: 100 },
    targets: [
        { suffix: '', peer: ws, target: 1 },
        { suffix: '.socket_io', peer: socketIo, target: 2 },
        { suffix: '.bare', peer: bare, target: 0.95 },
    ],
})

// Several broadcasts under way at once: what a server writes to one socket in a turn may leave together, which a server that
// writes each by itself cannot.
const bareOne = { ...bare, name: 'bare, one at a time', options: { 'in-flight': 1 } }
await timed({
    id: 'channels.broadcast_1k_x4', unit: 'deliveries/s', mode: 'channels-broadcast', subjects: [bennu, ws, socketIo, bareOne],
    options: { messages: smoke ? 20 : 1000000, payload: 100, 'in-flight': 4 },
    targets: [
        { suffix: '', peer: ws, target: 1 },
        { suffix: '.socket_io', peer: socketIo, target: 3 },
        { suffix: '.bare', peer: bareOne, target: 2.5 },
    ],
})

await timed({
    id: 'channels.broadcast_10k', unit: 'deliveries/s', mode: 'channels-broadcast', subjects: [bennu, ws, socketIo, bare],
    options: { sockets: tenfold, messages: smoke ? 5 : 1000000, payload: 100 },
    targets: [
        { suffix: '', peer: ws, target: 1 },
        { suffix: '.socket_io', peer: socketIo, target: 2 },
        { suffix: '.bare', peer: bare, target: 0.95 },
    ],
})

await timed({
    id: 'channels.broadcast_10k_x4', unit: 'deliveries/s', mode: 'channels-broadcast', subjects: [bennu, bareOne],
    options: { sockets: tenfold, messages: smoke ? 5 : 1000000, payload: 100, 'in-flight': 4 },
    targets: [{ suffix: '', peer: bareOne, target: 2.5 }],
})

await timed({
    id: 'channels.echo_1k', unit: 'echoes/s', mode: 'echo', subjects: [bennu, socketIo, bare], options: { payload: 100 },
    targets: [
        { suffix: '', peer: socketIo, target: 4 },
        { suffix: '.bare', peer: bare, target: 0.85 },
    ],
})

async function idleBytes() {
    console.error(`channels.idle_bytes: ${idleSockets} sockets`)
    const present = { ...hall, name: 'present', options: { topic: 'seat:1' } }
    const absent = { ...hall, name: 'absent', options: { topic: 'door:1' } }
    const idle = await alternate(smoke ? 1 : 3, [present, absent, ws], (subject) =>
        drive(subject, 'channels-idle', { sockets: idleSockets, hold: smoke ? 0.2 : 3 }))
    const [ours, without, theirs] = [present, absent, ws].map((subject) => medians(idle[subject.name]))
    const joins = (one) => `${count(one.joins_per_second)} joins/s at ${count(one.server_cpu_us_each)} µs server CPU each`
    const held = `${count(idleSockets)} sockets in one process, joined to one channel`
    const bytes = { unit: 'bytes/socket', ours: ours.bytes_each, better: 'less', target: 1 }
    row({
        ...bytes, id: 'channels.idle_bytes.budget', peer: 1024, peerName: '1 KiB',
        note: `user memory (PSS) of the server: ${held}, each with a presence entry under a key of its own; ${joins(ours)}`,
    })
    row({
        ...bytes, id: 'channels.idle_bytes', peer: theirs.bytes_each, peerName: 'ws (no channels)',
        note: `the same beside as many bare sockets of ws; ${joins(theirs)}`,
    })
    row({
        ...bytes, id: 'channels.idle_bytes.no_presence', ours: without.bytes_each, peer: 1024, peerName: '1 KiB',
        note: `${held}, without presence; ${joins(without)}`,
    })
}
if (wanted('idle')) await idleBytes()

async function presence20k() {
    console.error('channels.presence_20k')
    const presence = medians((await alternate(smoke ? 1 : 3, [hall], (subject) => drive(subject, 'channels-presence', {
        topic: 'door:1', sockets: smoke ? 20 : 2000, watchers: smoke ? 5 : 100, changes: smoke ? 100 : 1000, seconds: smoke ? 0.5 : 10,
    }))).hall)
    row({
        id: 'channels.presence_20k', unit: 'ms', ours: presence.p99_us / 1000, peer: 100, peerName: '100 ms', better: 'less', target: 1,
        note: `p99 from a join or leave to the diff at ${presence.watchers} watchers, ${count(presence.tracked)} tracked in one topic, ` +
            `${count(presence.changes / presence.seconds)} changes/s; p50 ${(presence.p50_us / 1000).toFixed(1)} ms, ` +
            `server ${presence.server_cpu_per_second.toFixed(2)} cores, ${presence.server_cpu_us_each.toFixed(0)} µs CPU a change`,
    })
}
if (wanted('presence')) await presence20k()

async function lateJoin() {
    console.error('channels.presence_late_join')
    const late = medians((await alternate(smoke ? 1 : 3, [hall], (subject) => drive(subject, 'channels-late-join', {
        topic: 'door:1', sockets: smoke ? 20 : 2000, messages: smoke ? 5 : 200,
    }))).hall)
    row({
        id: 'channels.presence_late_join', unit: 'ms', ours: late.p99_us / 1000, peer: late.p50_us / 1000, peerName: 'p50', better: 'less',
        note: `p99 and p50 from a join until the whole state of ${count(late.tracked)} present is there (${count(late.state_bytes)} bytes), made ` +
            `anew for each join since somebody went and came before it; ${count(late.server_cpu_us_each)} µs of server CPU a join`,
    })
}
if (wanted('presence')) await lateJoin()

if (wanted('storm')) await joinStorm({ ...bennu, sockets: smoke ? 200 : 19000, hold: smoke ? 0.2 : 3, core: serverCore, loadCore })

async function churn1m() {
    console.error('channels.churn_1m')
    const churn = await drive(bennu, 'channels-churn', {
        cycles: smoke ? 2000 : 1000000, sockets: smoke ? 100 : 1000, hold: smoke ? 0.2 : 3, seconds: 1,
    })
    row({
        id: 'channels.churn_1m', unit: 'MiB', ours: churn.memory_after / 1048576, peer: churn.memory_before / 1048576, peerName: 'before',
        better: 'less', target: 1 / 1.02,
        note: `server memory (PSS) before and after ${count(churn.cycles)} sockets that joined and went, half of them cut; ` +
            `${count(churn.cycles_per_second)}/s, ${count(churn.server_cpu_us_each)} µs of server CPU each`,
    })
}
if (wanted('churn')) await churn1m()

if (wanted('million')) await million()

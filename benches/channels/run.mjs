// Joined sockets: what a broadcast, an echo and an idle socket cost, ours beside npm ws, socket.io and a server that only
// writes the bytes. The servers run on one core and the load on another, the same for everybody.
import { fileURLToPath } from 'node:url'
import { alternate, count, medians, row, smoke, spread } from '../lib/measure.mjs'
import { cores, output, pinned, startServer } from '../lib/server.mjs'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const built = (path) => at(`../../build/release/${path}`)
const load = built('benches/load/bench_load')
const [serverCore, loadCore] = cores().length > 1 ? cores() : []

const rounds = smoke ? 1 : 5
const seconds = smoke ? 0.3 : 3
const sockets = smoke ? 50 : 1000
const idleSockets = smoke ? 200 : 10000

const bennu = {
    name: 'bennu', dialect: 'phoenix',
    command: (port) => [process.env.BENCH_HELLO ?? built('examples/hello/example_hello'), '--port', port],
}
const ws = { name: 'ws', dialect: 'raw', command: (port) => [process.execPath, at('peers/ws.mjs'), port] }
const socketIo = { name: 'socket.io', dialect: 'socketio', command: (port) => [process.execPath, at('peers/socket_io.mjs'), port] }
const bare = { name: 'bare', dialect: 'raw', command: (port) => [built('benches/load/bench_bare_server'), '--port', port] }

/** One run of the load generator against a server of its own. */
async function drive(subject, mode, options) {
    const server = await startServer({ ...subject, core: serverCore, env: { ...process.env, NODE_ENV: 'production' } })
    try {
        const args = { port: server.port, dialect: subject.dialect, 'server-pid': server.pid, ...options }
        const words = Object.entries(args).flatMap(([name, value]) => [`--${name}`, value])
        return JSON.parse(await output(pinned(loadCore, [load, mode, ...words])))
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

// Several broadcasts under way at once: what a server writes to one socket in a turn may leave together.
await timed({
    id: 'channels.broadcast_1k_x4', unit: 'deliveries/s', mode: 'channels-broadcast', subjects: [bennu, ws, socketIo, bare],
    options: { messages: smoke ? 20 : 1000000, payload: 100, 'in-flight': 4 },
    targets: [
        { suffix: '', peer: ws, target: null },
        { suffix: '.socket_io', peer: socketIo, target: 3 },
        { suffix: '.bare', peer: bare, target: null },
    ],
})

await timed({
    id: 'channels.echo_1k', unit: 'echoes/s', mode: 'echo', subjects: [bennu, socketIo, bare], options: { payload: 100 },
    targets: [
        { suffix: '', peer: socketIo, target: 4 },
        { suffix: '.bare', peer: bare, target: 0.85 },
    ],
})

console.error(`channels.idle_bytes: ${idleSockets} sockets`)
const idle = await alternate(smoke ? 1 : 3, [bennu, ws], (subject) =>
    drive(subject, 'channels-idle', { sockets: idleSockets, hold: smoke ? 0.2 : 3 }))
const [ourIdle, theirIdle] = [medians(idle.bennu), medians(idle.ws)]
const idleNote = `${count(idleSockets)} sockets joined to one channel; ${count(ourIdle.joins_per_second)} joins/s at ` +
    `${count(ourIdle.server_cpu_us_each)} µs server CPU each, ws ${count(theirIdle.joins_per_second)}/s at ${count(theirIdle.server_cpu_us_each)} µs`
const bytes = { unit: 'bytes/socket', ours: ourIdle.bytes_each, better: 'less', target: 1 }
row({ ...bytes, id: 'channels.idle_bytes', peer: theirIdle.bytes_each, peerName: 'ws (no channels)', note: idleNote })
row({ ...bytes, id: 'channels.idle_bytes.budget', peer: 1024, peerName: '1 KiB', note: 'user memory (PSS) of the server' })

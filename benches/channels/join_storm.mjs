// Everybody comes back at once: a server with thousands of joined sockets is killed and started again on its port.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { count, row, smoke } from '../lib/measure.mjs'
import { pinned, startServer } from '../lib/server.mjs'

const load = fileURLToPath(new URL('../../build/release/benches/load/bench_load', import.meta.url))

async function storm({ sockets, hold, loadCore, ...subject }) {
    let server = await startServer(subject)
    // All of them under way at once, as their clients would be.
    const args = ['channels-storm', '--port', server.port, '--sockets', sockets, '--opening', sockets, '--hold', hold,
        '--server-pid', server.pid]
    const [program, ...rest] = pinned(loadCore, [load, ...args])
    const child = spawn(program, rest.map(String), { stdio: ['pipe', 'pipe', 'inherit'] })
    try {
        const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
        const line = async () => {
            const { value, done } = await lines.next()
            if (done) throw new Error('the load ended early')
            return JSON.parse(value)
        }
        await line()
        await server.kill()
        server = await startServer({ ...subject, port: server.port })
        child.stdin.write(`${server.pid}\n`)
        return await line()
    } finally {
        child.kill('SIGKILL')
        await server.stop()
    }
}

export async function joinStorm(options) {
    console.error(`channels.join_storm: ${options.sockets} sockets`)
    const rounds = []
    for (let i = 0; i < (smoke ? 1 : 3); i++) {
        rounds.push(await storm(options))
        console.error(`  ${JSON.stringify(rounds.at(-1))}`)
    }
    const middle = [...rounds].sort((a, b) => a.seconds - b.seconds)[rounds.length >> 1]
    const mib = (bytes) => (bytes / 1048576).toFixed(1)
    row({
        id: 'channels.join_storm', unit: 's', ours: middle.seconds, peer: 2, peerName: '2 s', better: 'less', target: 1,
        note: `until ${count(middle.sockets)} sockets that reconnect at once after kill -9 have joined, server and clients on a core each; ` +
            `${count(middle.joins_per_second)}/s, ${count(middle.server_cpu_us_each)} µs of server CPU each`,
    })
    row({
        id: 'channels.join_storm.memory', unit: 'MiB', ours: middle.memory_later / 1048576, peer: middle.memory_calm / 1048576,
        peerName: 'before', better: 'less', target: null,
        note: `server memory with all of them joined: ${mib(middle.memory_calm)} before the restart, ${mib(middle.memory_after)} right after the storm, ` +
            `${mib(middle.memory_later)} ${options.hold} s later`,
    })
}

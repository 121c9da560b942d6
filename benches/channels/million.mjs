// A million sockets that joined one channel, on one machine: as many worker processes as the limit on descriptors asks for, as
// many processes of clients, then one broadcast to all.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { count, cpuSeconds, row, smoke } from '../lib/measure.mjs'
import { startServer } from '../lib/server.mjs'

const built = (path) => fileURLToPath(new URL(`../../build/release/${path}`, import.meta.url))
const wanted = smoke ? 600 : 1000000
const each = smoke ? 200 : 19250 // a process may open 20,000 descriptors
const sourcesEach = 16
const patience = smoke ? 20 : 300

const childrenOf = (pid) => readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number))
const pss = (pid) => Number(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+)/m)[1]) * 1024
const pssOf = (pids) => pids.reduce((sum, pid) => sum + pss(pid), 0)
const available = () => Number(readFileSync('/proc/meminfo', 'utf8').match(/^MemAvailable:\s+(\d+)/m)[1]) * 1024

/** One process of clients: `joined` and `done` resolve with what it prints. */
function crowd(port, sockets, index) {
    const args = ['channels-crowd', '--port', port, '--sockets', sockets, '--sources', sourcesEach,
        '--first-source', index * sourcesEach, '--opening', 64, '--patience', patience, '--hold', patience]
    const child = spawn(built('benches/load/bench_load'), args.map(String), { stdio: ['pipe', 'pipe', 'pipe'] })
    let problem = ''
    child.stderr.on('data', (text) => (problem += text))
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const line = async () => {
        const { value, done } = await lines.next()
        if (done) throw new Error(`a process of clients ended: ${problem}`)
        return JSON.parse(value)
    }
    return { child, joined: line(), line, publish: () => child.stdin.write('\n') }
}

export async function million() {
    const parts = Math.ceil(wanted / each)
    console.error(`channels.million: ${parts} processes of clients, ${parts + 1} workers`)
    const before = available()
    const server = await startServer({
        name: 'workers', command: (port) => [built('examples/workers/example_workers'), '--port', port, '--workers', parts + 1],
    })
    const crowds = []
    try {
        const nodes = () => childrenOf(server.pid)
        const bare = pssOf(nodes())
        const began = Date.now()
        for (let i = 0; i < parts; i++) crowds.push(crowd(server.port, Math.ceil(wanted / parts), i))
        const joined = (await Promise.all(crowds.map((one) => one.joined))).reduce((sum, one) => sum + one.joined, 0)
        const seconds = (Date.now() - began) / 1000
        console.error(`  ${count(joined)} joined after ${seconds.toFixed(1)} s`)
        await new Promise((resolve) => setTimeout(resolve, smoke ? 200 : 3000))
        const user = pssOf(nodes())
        const clients = pssOf(crowds.map((one) => one.child.pid))
        const kernel = before - available() - user - clients
        const cpu = cpuSeconds(server.pid)
        const done = crowds.map((one) => one.line())
        crowds[0].publish()
        const results = await Promise.all(done)
        const took = (Math.max(...results.map((one) => one.last)) - results[0].sent) / 1e9
        const cpuEach = ((cpuSeconds(server.pid) - cpu) * 1e6) / joined
        row({
            id: 'channels.million', unit: 'joined sockets', ours: joined, peer: wanted, peerName: 'the goal', target: 1,
            note: `${parts + 1} workers; joined in ${seconds.toFixed(1)} s (${count(joined / seconds)}/s); user memory ` +
                `${count((user - bare) / joined)} bytes a socket, ${count(user / 1048576)} MiB in all; kernel about ` +
                `${(kernel / joined / 1024).toFixed(1)} KB a pair; one broadcast to all ${took.toFixed(2)} s ` +
                `(${count(joined / took)}/s, ${cpuEach.toFixed(1)} µs of server CPU each), none missing, none twice`,
        })
        await Promise.all(crowds.map((one) => (one.child.exitCode === null ? once(one.child, 'exit') : undefined)))
    } finally {
        crowds.forEach((one) => one.child.kill('SIGKILL'))
        await server.stop()
    }
}

// One JSON answer over keep-alive connections: ours, Node's http and nginx, with the same bytes, load on the same cores.
import { fileURLToPath } from 'node:url'
import { alternate, count, cpuSeconds, medians, row, smoke, spentByChildren, spread } from '../lib/measure.mjs'
import { cores, output, startServer } from '../lib/server.mjs'
import { nginx } from './peers/nginx.mjs'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const connections = smoke ? 8 : 64
const seconds = smoke ? 1 : 4
const rounds = smoke ? 1 : 5
const threads = Math.min(2, cores().length)

const hello = process.env.BENCH_HELLO ?? at('../../build/release/examples/hello/example_hello')
const ours = await startServer({ name: 'bennu', command: (port) => [hello, '--port', port] })

// What ours says is what all say; the fields that a peer writes by itself are left to it.
const answer = await fetch(`http://127.0.0.1:${ours.port}/json`)
const body = await answer.text()
if (answer.status !== 200 || JSON.parse(body).message !== 'hello') throw new Error(`hello answers ${answer.status} ${body}`)
const contentType = answer.headers.get('content-type')
const automatic = ['content-type', 'content-length', 'date', 'server', 'connection', 'keep-alive']
const headers = Object.fromEntries([...answer.headers].filter(([name]) => !automatic.includes(name)))

const node = await startServer({
    name: 'node',
    command: (port) => [process.execPath, at('peers/node.mjs'), port, body,
        JSON.stringify({ 'content-type': contentType, ...headers })],
})
const static200 = await startServer(nginx({ body, contentType, headers, workers: cores().length }))
for (const peer of [node, static200]) {
    const theirs = await fetch(`http://127.0.0.1:${peer.port}/json`)
    const text = await theirs.text()
    if (theirs.status !== 200 || text !== body || theirs.headers.get('content-type') !== contentType)
        throw new Error(`${peer.name} does not answer like ours: ${theirs.status} ${text}`)
}

async function load({ port, pid }) {
    const url = `http://127.0.0.1:${port}/json`
    const wrk = (duration) => output(['wrk', '-t', threads, '-c', connections, '-d', `${duration}s`, '--latency', url])
    if (!smoke) await wrk(1)
    const before = { server: cpuSeconds(pid), load: spentByChildren() }
    const report = await wrk(seconds)
    const cpu = cpuSeconds(pid) - before.server
    const requests = Number(report.match(/(\d+) requests in/)[1])
    const errors = report.match(/(Socket errors|Non-2xx).*/)
    if (errors) throw new Error(`wrk: ${errors[0]}`)
    const [, p99, unit] = report.match(/99%\s+([\d.]+)(us|ms|s)/)
    return {
        perSecond: Number(report.match(/Requests\/sec:\s*([\d.]+)/)[1]),
        perCpu: requests / Math.max(cpu, 0.01),
        cpu,
        p99us: Number(p99) * { us: 1, ms: 1e3, s: 1e6 }[unit],
        loadCores: (spentByChildren() - before.load) / seconds,
    }
}

const results = await alternate(rounds, [ours, node, static200], load)
const figure = Object.fromEntries(Object.entries(results).map(([name, all]) => [name, medians(all)]))
const says = (name) => {
    const { perSecond, perCpu, cpu, p99us } = figure[name]
    return `${name} ${count(perSecond)}/s ${spread(results[name].map((one) => one.perSecond))}, ` +
        `${cpu.toFixed(2)} CPU-s, ${count(perCpu)} per CPU-s, p99 ${count(p99us)} µs`
}
const setting = `${connections} connections, ${rounds} rounds of ${seconds} s, wrk took ${figure.bennu.loadCores.toFixed(2)} cores`
row({
    id: 'http.json', unit: 'requests/s', ours: figure.bennu.perSecond, peer: figure.node.perSecond, peerName: 'node http',
    target: 1.4, note: `${says('bennu')}; ${says('node')}; ${setting}`,
})
row({
    id: 'http.json.nginx', unit: 'requests/CPU-s', ours: figure.bennu.perCpu, peer: figure.nginx.perCpu, peerName: 'nginx',
    target: 1, note: `${says('nginx')}; one constant answer of ${cores().length} workers`,
})
await Promise.all([ours, node, static200].map((server) => server.stop()))

// http.h2_json: the JSON answer over HTTP/2, beside nginx, by h2load (plain connections, prior knowledge).
import { alternate, count, cpuSeconds, medians, row, smoke, spread } from '../lib/measure.mjs'
import { cores, output, startServer } from '../lib/server.mjs'
import { nginx } from './peers/nginx.mjs'
import { connections, rounds, seconds, startOurs } from './site.mjs'

const streams = 16
const threads = Math.min(2, cores().length)

/** h2load against one server: what it did a second, and for each second of the server's CPU. */
async function h2load({ port, pid }) {
    const load = (duration) => output(['h2load', '-t', threads, '-c', connections, '-m', streams, '-D', duration,
        `http://127.0.0.1:${port}/json`])
    if (!smoke) await load(1)
    const before = cpuSeconds(pid)
    const report = await load(Math.max(1, Math.round(seconds)))
    const cpu = cpuSeconds(pid) - before
    const [, done, failed, errored] = report.match(/(\d+) done, \d+ succeeded, (\d+) failed, (\d+) errored/).map(Number)
    const [, good] = report.match(/status codes: (\d+) 2xx/).map(Number)
    if (failed || errored || good < done) throw new Error(`h2load: ${report}`)
    return {
        perSecond: Number(report.match(/([\d.]+) req\/s/)[1]),
        perCpu: done / Math.max(cpu, 0.01),
        cpu,
    }
}

export async function http2() {
    const ours = await startOurs()
    const answer = await fetch(`http://127.0.0.1:${ours.port}/json`)
    const body = await answer.text()
    const contentType = answer.headers.get('content-type')
    const automatic = ['content-type', 'content-length', 'date', 'server', 'connection', 'keep-alive']
    const headers = Object.fromEntries([...answer.headers].filter(([name]) => !automatic.includes(name)))
    const peer = await startServer(nginx({ body, contentType, headers, workers: cores().length, http2: true }))
    const results = await alternate(rounds, [ours, peer], h2load)
    const figure = Object.fromEntries(Object.entries(results).map(([name, all]) => [name, medians(all)]))
    const says = (name) => `${name} ${count(figure[name].perSecond)}/s ${spread(results[name].map((one) => one.perSecond))}, ` +
        `${figure[name].cpu.toFixed(2)} CPU-s, ${count(figure[name].perCpu)} per CPU-s`
    row({
        id: 'http.h2_json', unit: 'requests/CPU-s', ours: figure.bennu.perCpu, peer: figure.nginx.perCpu, peerName: 'nginx',
        target: null, note: `${says('bennu')}; ${says('nginx')}; ${connections} connections of ${streams} streams, a process for each request; ` +
            'one constant answer of nginx',
    })
    await Promise.all([ours.stop(), peer.stop()])
}

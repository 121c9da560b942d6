// http.p99_with_hog, http.overload, http.slowloris: what is left for others when a handler, a crowd or an attacker takes too much.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { count, cpuSeconds, median, row, smoke } from '../lib/measure.mjs'
import { cores } from '../lib/server.mjs'
import { httpLoad, loadProgram, startOurs, wrk } from './site.mjs'

const rounds = smoke ? 1 : 3
const duration = smoke ? 0.5 : 4

/** Keeps one connection's handler computing until it is stopped. */
async function startHog(port) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const ask = () => socket.writable && socket.write('GET /hog HTTP/1.1\r\nhost: bench\r\n\r\n')
    socket.on('data', ask)
    socket.on('error', () => {})
    ask()
    return () => socket.destroy()
}

export async function hog() {
    const ours = await startOurs(['--per-ip', 0])
    // The peak of what the computing handler leaves: with two cores it takes half of them. Whoever connects while its shard is busy
    // is accepted by another one.
    const stopFirst = await startHog(ours.port)
    const peak = await httpLoad('rate', ours.port, { path: '/json', connections: 64, rate: smoke ? 2000 : 150000, seconds: duration })
    stopFirst()
    const options = { path: '/json', connections: 64, rate: Math.max(1, Math.round(peak.per_second / 2)), seconds: duration }
    const p99 = { alone: [], hogged: [] }
    let errors = 0
    for (let round = 0; round < rounds; round++) {
        const alone = await httpLoad('rate', ours.port, options)
        const stop = await startHog(ours.port)
        const hogged = await httpLoad('rate', ours.port, options)
        stop()
        console.error(`  round ${round + 1}/${rounds}: alone ${JSON.stringify(alone)} hogged ${JSON.stringify(hogged)}`)
        p99.alone.push(alone.p99_us)
        p99.hogged.push(hogged.p99_us)
        errors += alone.other + alone.lost + hogged.other + hogged.lost
    }
    row({
        id: 'http.p99_with_hog', unit: 'µs', ours: median(p99.hogged), peer: median(p99.alone), peerName: 'unloaded', better: 'less',
        target: 0.5, note: `${count(options.rate)}/s, half of the peak beside it, over 64 connections while one handler computes on ` +
            `another shard, in pieces of 100 ms; ${errors} errors; ${cpuSeconds(ours.pid).toFixed(1)} CPU-s in all`,
    })
    await ours.stop()
}

export async function overload() {
    // A core for the server and one for the load, so that the capacity is the server's.
    const [first, second] = cores()
    const ours = await startOurs(['--per-ip', 0], { core: first })
    const load = { core: second }
    const options = { path: '/work', connections: smoke ? 50 : 500, seconds: duration }
    const figures = []
    for (let round = 0; round < rounds; round++) {
        const peak = await wrk(ours, { path: '/work', core: second, connected: 4 })
        const over = await httpLoad('rate', ours.port, { ...options, rate: Math.round(peak.perSecond * 5) }, load)
        const afterwards = await httpLoad('rate', ours.port, { ...options, rate: Math.max(1, Math.round(peak.perSecond / 2)) }, load)
        console.error(`  round ${round + 1}/${rounds}: peak ${JSON.stringify(peak)} over ${JSON.stringify(over)} after ${JSON.stringify(afterwards)}`)
        figures.push({ peak: peak.perSecond, over, afterwards })
    }
    const of = (pick) => median(figures.map(pick))
    const failed = figures.reduce((sum, { over }) => sum + over.health_failed, 0)
    const probes = figures.reduce((sum, { over }) => sum + over.health_checks, 0)
    row({
        id: 'http.overload', unit: 'answers/s', ours: of(({ over }) => over.per_second), peer: of(({ peak }) => peak), peerName: 'peak',
        target: 0.9, note: `5 times the capacity of a handler of 1 ms, one shard: p99 of those answered ${count(of(({ over }) => over.p99_us))} µs ` +
            `(afterwards at half the capacity ${count(of(({ afterwards }) => afterwards.p99_us))} µs), ` +
            `${count(of(({ over }) => over.refused))} answered 503, ${count(of(({ over }) => over.lost))} connections lost`,
    })
    row({
        id: 'http.overload.health', unit: 'refused', ours: failed, peer: 0, peerName: 'none', better: 'less',
        note: `of ${probes} health checks, each other one over a new connection; p99 ${count(of(({ over }) => over.health_p99_us))} µs`,
    })
    await ours.stop()
}

export async function slowloris() {
    const ours = await startOurs()
    const slow = smoke ? 200 : 10000
    const rates = { alone: [], attacked: [] }
    let report
    for (let round = 0; round < rounds; round++) {
        const alone = await wrk(ours)
        // From 250 addresses, so that no address has too many.
        const attack = spawn(loadProgram, ['dribble', '--port', ours.port, '--connections', slow, '--sources', 250, '--rate', slow / 5,
            '--seconds', smoke ? 3 : 12], { stdio: ['ignore', 'pipe', 'inherit'] })
        const kill = () => attack.kill('SIGKILL')
        process.once('exit', kill)
        let said = ''
        attack.stdout.on('data', (text) => (said += text))
        const ended = once(attack, 'close')
        while (!said.startsWith('ready')) await Promise.race([once(attack.stdout, 'data'), ended.then(() => { throw new Error('the attack ended early') })])
        const attacked = await wrk(ours)
        await ended
        process.removeListener('exit', kill)
        report = JSON.parse(said.trim().split('\n').at(-1))
        console.error(`  round ${round + 1}/${rounds}: alone ${JSON.stringify(alone)} attacked ${JSON.stringify(attacked)} ${JSON.stringify(report)}`)
        rates.alone.push(alone.perCpu)
        rates.attacked.push(attacked.perSecond / alone.perSecond)
    }
    row({
        id: 'http.slowloris', unit: 'of the rate', ours: median(rates.attacked), peer: 1, peerName: 'unattacked', target: 0.95,
        note: `64 connections of wrk beside ${count(slow)} that send a byte of a header every 5 s and come back when thrown out ` +
            `(${count(report.thrown_out)} times in the last round); the attacker's CPU is taken from the same cores`,
    })
    await ours.stop()
}

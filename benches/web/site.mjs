// Our server (server/main.cpp) as the rows start it, wrk, and what all rows share.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { count, cpuSeconds, medians, smoke, spread } from '../lib/measure.mjs'
import { cores, output, startServer } from '../lib/server.mjs'

export const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const build = process.env.BENCH_BUILD ?? at('../../build/release')
export const loadProgram = join(build, 'benches/load/bench_http_load')
export const rounds = smoke ? 1 : 5
export const seconds = smoke ? 0.5 : 4
export const connections = smoke ? 8 : 64
const threads = Math.min(2, cores().length)

/** The files of this run: a body of 100 KB that no compression shrinks, and a certificate. */
export const folder = mkdtempSync(join(tmpdir(), 'bench-web-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
chmodSync(folder, 0o755)
const random = Buffer.alloc(102400)
for (let i = 0, state = 1; i < random.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    random[i] = state >>> 24
}
writeFileSync(join(folder, '100k.bin'), random)
writeFileSync(join(folder, '1k'), 'x'.repeat(1024))
export const certificate = join(folder, 'certificate.pem')
export const key = join(folder, 'key.pem')
execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', '/CN=localhost', '-keyout', key, '-out', certificate], { stdio: 'ignore' })
chmodSync(key, 0o644) // thrown away with the folder; nginx reads it as another user

/** The access log is written, to where it takes no disk. */
export const startOurs = (args = [], { core, name = 'bennu' } = {}) => startServer({
    name, core,
    command: (port) => [join(build, 'benches/web/server/bench_web_server'), '--port', port, '--log', '/dev/null', ...args],
})

/** wrk against one server: what it did a second, and for each second of the server's CPU. */
export async function wrk({ port, pid }, { path = '/json', scheme = 'http', script, core, connected = connections } = {}) {
    const url = `${scheme}://127.0.0.1:${port}${path}`
    const pinned = core === undefined ? [] : ['taskset', '-c', core]
    const args = [...pinned, 'wrk', '-t', core === undefined ? threads : 1, '-c', connected, '--latency',
        ...(script ? ['-s', script] : []), url]
    if (!smoke) await output([...args, '-d', '1s'])
    const before = cpuSeconds(pid)
    const report = await output([...args, '-d', `${Math.max(1, Math.round(seconds))}s`])
    const cpu = cpuSeconds(pid) - before
    const errors = report.match(/(Socket errors|Non-2xx).*/)
    if (errors) throw new Error(`wrk: ${errors[0]}`)
    const [, p99, unit] = report.match(/99%\s+([\d.]+)(us|ms|s)/)
    return {
        perSecond: Number(report.match(/Requests\/sec:\s*([\d.]+)/)[1]),
        perCpu: Number(report.match(/(\d+) requests in/)[1]) / Math.max(cpu, 0.01),
        cpu,
        p99us: Number(p99) * { us: 1, ms: 1e3, s: 1e6 }[unit],
    }
}

/** The medians of what `alternate` yielded, and what a note says of them. */
export function summary(results) {
    const figure = Object.fromEntries(Object.entries(results).map(([name, all]) => [name, medians(all)]))
    const says = (name) => {
        const { perSecond, perCpu, cpu, p99us } = figure[name]
        return `${name} ${count(perSecond)}/s ${spread(results[name].map((one) => one.perSecond))}, ` +
            `${cpu.toFixed(2)} CPU-s, ${count(perCpu)} per CPU-s, p99 ${count(p99us)} µs`
    }
    return { figure, says }
}

/** bench_http_load's answer. */
export async function httpLoad(mode, port, options, { core } = {}) {
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
    const pinned = core === undefined ? [] : ['taskset', '-c', core]
    const text = await output([...pinned, loadProgram, mode, '--port', port, ...args])
    return JSON.parse(text.trim().split('\n').at(-1))
}

// Servers that a bench starts on a free port, waits for, and ends by process id, whatever happens.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

const running = new Set()
const killAll = () => running.forEach((child) => child.kill('SIGKILL'))
process.on('exit', killAll)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1))

async function freePort() {
    const probe = createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port } = probe.address()
    probe.close()
    await once(probe, 'close')
    return port
}

async function accepts(port) {
    const socket = connect(port, '127.0.0.1')
    try {
        await once(socket, 'connect')
        return true
    } catch {
        return false
    } finally {
        socket.destroy()
    }
}

/** The cores that this process may use, `[0, 1]`. */
export function cores() {
    const list = readFileSync('/proc/self/status', 'utf8').match(/^Cpus_allowed_list:\s*(.+)$/m)[1]
    return list.split(',').flatMap((range) => {
        const [first, last = first] = range.split('-').map(Number)
        return Array.from({ length: last - first + 1 }, (_, i) => first + i)
    })
}

/** Prefixes a command so that it stays on one core; `undefined` leaves it alone. */
export const pinned = (core, command) => (core === undefined ? command : ['taskset', '-c', String(core), ...command])

/**
 * Starts `command(port)` and resolves once it accepts connections. The result has `port`, `pid`, `stop()` and `kill()`; it rejects
 * with what the server printed when it ends or does not listen within 15 seconds. `port` asks for the one of a server
 * that has ended.
 */
export async function startServer({ name, command, core, port: wanted, ...options }) {
    const port = wanted ?? await freePort()
    const [program, ...args] = pinned(core, command(port))
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    running.add(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output = (output + text).slice(-2000)))
    const gone = new Promise((resolve) => {
        child.on('error', (error) => resolve(`cannot start: ${error.message}`))
        child.on('exit', (code, signal) => resolve(`ended with ${signal ?? code}`))
    }).finally(() => running.delete(child))

    let end
    gone.then((reason) => (end = reason))
    for (const until = Date.now() + 15000; !(await accepts(port)); await delay(20)) {
        if (end === undefined && Date.now() < until) continue
        child.kill('SIGKILL')
        throw new Error(`${name} ${end ?? 'does not listen'}\n${output}`)
    }
    return {
        name,
        port,
        pid: child.pid,
        async kill() {
            child.kill('SIGKILL')
            await gone
        },
        async stop() {
            child.kill('SIGTERM')
            const stuck = setTimeout(() => child.kill('SIGKILL'), 3000)
            await gone
            clearTimeout(stuck)
        },
    }
}

/** Runs a program to its end and resolves with its standard output; rejects when it fails or takes too long. */
export async function output(command, { timeout = 120000, env } = {}) {
    const [program, ...args] = command
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
    running.add(child)
    const late = setTimeout(() => child.kill('SIGKILL'), timeout)
    let out = ''
    let problem = ''
    child.stdout.on('data', (text) => (out += text))
    child.stderr.on('data', (text) => (problem = (problem + text).slice(-2000)))
    try {
        const [code, signal] = await once(child, 'close')
        if (code !== 0) throw new Error(`${program} ended with ${signal ?? code}: ${problem || out}`)
        return out
    } finally {
        clearTimeout(late)
        running.delete(child)
    }
}

// http.idle_bytes: what a keep-alive connection costs while nobody asks.
import { cpuSeconds, row, smoke } from '../lib/measure.mjs'
import { startServer } from '../lib/server.mjs'
import { nginx } from './peers/nginx.mjs'
import { httpLoad, startOurs } from './site.mjs'

export async function idle() {
    const count = smoke ? 200 : 19000
    const each = {}
    // nginx closes idle connections as soon as a sixteenth of those that it may have is all that is left.
    for (const [start, connections] of [
        [() => startOurs(['--per-ip', 0]), count],
        [() => startServer(nginx({ body: '{"message":"hello"}', contentType: 'application/json', workers: 1, connections: 19500 })),
            smoke ? count : 18000],
    ]) {
        const server = await start()
        const result = await httpLoad('idle', server.port,
            { connections, path: '/json', seconds: smoke ? 0.2 : 3, 'server-pid': server.pid })
        each[server.name] = { bytes: Math.max(1, result.bytes_each), cpu: cpuSeconds(server.pid) }
        console.error(`  ${server.name}: ${JSON.stringify(result)}`)
        await server.stop()
    }
    const note = `PSS growth by ${count} keep-alive connections (nginx: ${smoke ? count : 18000}), each answered once; ${each.bennu.cpu.toFixed(2)} CPU-s for that`
    row({
        id: 'http.idle_bytes', unit: 'bytes', ours: each.bennu.bytes, peer: 600, peerName: '600 bytes', better: 'less', target: 1, note,
    })
    row({ id: 'http.idle_bytes.nginx', unit: 'bytes', ours: each.bennu.bytes, peer: each.nginx.bytes, peerName: 'nginx', better: 'less', note })
}

// http.static_100k, http.tls_1k: bodies and encryption, beside nginx.
import { alternate, row } from '../lib/measure.mjs'
import { cores, startServer } from '../lib/server.mjs'
import { nginx } from './peers/nginx.mjs'
import { certificate, connections, folder, key, rounds, startOurs, summary, wrk } from './site.mjs'

export async function bodies() {
    const ours = await startOurs(['--folder', folder])
    const peer = await startServer(nginx({ folder, workers: cores().length }))
    await sameBody('http', ours, '/files/100k.bin', peer, '/100k.bin')
    const path = { bennu: '/files/100k.bin', nginx: '/100k.bin' }
    const { figure, says } = summary(await alternate(rounds, [ours, peer], (server) => wrk(server, { path: path[server.name] })))
    row({
        id: 'http.static_100k', unit: 'requests/CPU-s', ours: figure.bennu.perCpu, peer: figure.nginx.perCpu, peerName: 'nginx',
        target: 1, note: `${says('bennu')}; ${says('nginx')}, sendfile on; ${connections} connections`,
    })
    await Promise.all([ours.stop(), peer.stop()])

    const secure = await startOurs(['--certificate', certificate, '--key', key])
    const securePeer = await startServer(nginx({ folder, certificate, key, workers: cores().length }))
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0' // the certificate signed itself a moment ago
    await sameBody('https', secure, '/1k', securePeer, '/1k')
    const tls = summary(await alternate(rounds, [secure, securePeer], (server) => wrk(server, { path: '/1k', scheme: 'https' })))
    row({
        id: 'http.tls_1k', unit: 'requests/CPU-s', ours: tls.figure.bennu.perCpu, peer: tls.figure.nginx.perCpu, peerName: 'nginx',
        target: 1, note: `${tls.says('bennu')}; ${tls.says('nginx')}; TLS 1.3, P-256, the cipher that wrk's OpenSSL asks for first`,
    })
    await Promise.all([secure.stop(), securePeer.stop()])
}

async function sameBody(scheme, ours, path, peer, theirPath) {
    const [mine, theirs] = await Promise.all([[ours, path], [peer, theirPath]].map(async ([server, at]) =>
        Buffer.from(await (await fetch(`${scheme}://127.0.0.1:${server.port}${at}`)).arrayBuffer())))
    if (!mine.equals(theirs)) throw new Error(`nginx answers ${theirPath} with ${theirs.length} other bytes`)
}

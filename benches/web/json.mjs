// http.json, http.json_pipelined: a JSON answer through router, plugs and access log, beside Node's http and nginx.
import { alternate, count, row } from '../lib/measure.mjs'
import { cores, startServer } from '../lib/server.mjs'
import { nginx } from './peers/nginx.mjs'
import { at, connections, rounds, seconds, startOurs, summary, wrk } from './site.mjs'

export async function json() {
    const ours = await startOurs()
    // What ours says is what all say; the fields that a peer writes by itself are left to it.
    const answer = await fetch(`http://127.0.0.1:${ours.port}/json`)
    const body = await answer.text()
    if (answer.status !== 200 || JSON.parse(body).message !== 'hello') throw new Error(`ours answers ${answer.status} ${body}`)
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
    const { figure, says } = summary(await alternate(rounds, [ours, node, static200], (server) => wrk(server)))
    const setting = `${connections} connections, ${rounds} rounds of ${seconds} s; our access log is on (to /dev/null), theirs is off`
    row({
        id: 'http.json', unit: 'requests/s', ours: figure.bennu.perSecond, peer: figure.node.perSecond, peerName: 'node http',
        target: 1.4, note: `${says('bennu')}; ${says('node')}; ${setting}`,
    })
    row({
        id: 'http.json.nginx', unit: 'requests/CPU-s', ours: figure.bennu.perCpu, peer: figure.nginx.perCpu, peerName: 'nginx',
        target: 1, note: `${says('nginx')}; one constant answer of ${cores().length} workers`,
    })
    row({
        id: 'http.json.cpu', unit: 'requests/CPU-s', ours: figure.bennu.perCpu, peer: 150000, peerName: '150,000',
        target: 1, note: says('bennu'),
    })

    const script = at('pipeline.lua')
    const pipelined = summary(await alternate(rounds, [ours, static200], (server) => wrk(server, { script })))
    row({
        id: 'http.json_pipelined', unit: 'requests/s', ours: pipelined.figure.bennu.perSecond, peer: 1e6, peerName: '1 million',
        target: 1, note: `by 16; ${pipelined.says('bennu')}; ${pipelined.says('nginx')}, ` +
            `${(pipelined.figure.bennu.perSecond / pipelined.figure.nginx.perSecond).toFixed(2)} times; ` +
            `${count(pipelined.figure.bennu.perCpu)} per CPU-s`,
    })
    await Promise.all([ours, node, static200].map((server) => server.stop()))
}

// npm ws without a protocol: what comes in at /broadcast goes to everybody there, what comes in at /echo goes back.
import { WebSocketServer } from 'ws'

const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]), backlog: 4096, perMessageDeflate: false })

server.on('connection', (socket, request) => {
    const echo = request.url === '/echo'
    socket.on('message', (data) => {
        const text = data.toString()
        if (echo) return socket.send(text)
        for (const client of server.clients) client.send(text)
    })
})

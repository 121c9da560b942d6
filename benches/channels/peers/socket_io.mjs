// socket.io with rooms: `join` puts a socket into one, `shout` goes to all of it, `echo` is acknowledged with its payload.
import { createServer } from 'node:http'
import { Server } from 'socket.io'

const http = createServer()
const io = new Server(http, { transports: ['websocket'], serveClient: false })

io.on('connection', (socket) => {
    let joined
    socket.on('join', (room, done) => {
        joined = room
        socket.join(room)
        done('ok')
    })
    socket.on('shout', (payload) => io.to(joined).emit('shout', payload))
    socket.on('echo', (payload, done) => done(payload))
})

http.listen(Number(process.argv[2]), '127.0.0.1', 4096)

// Node's own HTTP server at its simplest: node.mjs PORT BODY HEADERS (as JSON)
import { createServer } from 'node:http'

const [port, body, headers] = process.argv.slice(2)
const fields = { ...JSON.parse(headers), 'content-length': Buffer.byteLength(body) }

createServer((request, response) => {
    if (request.url !== '/json') return response.writeHead(404).end()
    response.writeHead(200, fields).end(body)
}).listen(Number(port), '127.0.0.1', 4096)

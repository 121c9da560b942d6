// The configuration of an nginx that answers with a constant, without rights and without files of the system.
import { mkdtempSync, chownSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const nobody = 65534
const quoted = (text) => `'${text.replace(/['\\]/g, '\\$&').replaceAll('$', '${dollar}')}'`

/** How to start it: what `startServer` takes. `contentType` is nginx's own field, `headers` are added to it. */
export function nginx({ body, contentType, headers, workers }) {
    const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'))
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
    const root = process.getuid() === 0
    if (root) chownSync(folder, nobody, nobody)
    const added = Object.entries(headers).map(([name, value]) => `add_header ${name} ${quoted(value)};`).join(' ')
    const config = (port) => `
daemon off; worker_processes ${workers}; pid ${folder}/pid; error_log stderr warn;
worker_rlimit_nofile 4096;
events { worker_connections 2048; }
http {
    access_log off; keepalive_requests 1000000000; server_tokens off; types {}
    client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
    uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
    geo $dollar { default '$'; }
    server {
        listen 127.0.0.1:${port} backlog=4096;
        location = /json { default_type ${quoted(contentType)}; ${added} return 200 ${quoted(body)}; }
        location / { return 404; }
    }
}
`
    return {
        name: 'nginx',
        command: (port) => {
            writeFileSync(join(folder, 'nginx.conf'), config(port))
            return [process.env.NGINX ?? '/usr/sbin/nginx', '-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')]
        },
        ...(root && { uid: nobody, gid: nobody }),
    }
}

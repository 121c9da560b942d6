// The configuration of an nginx that answers with a constant, or with files; without rights and without files of the system.
import { mkdtempSync, chownSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const nobody = 65534
const quoted = (text) => `'${text.replace(/['\\]/g, '\\$&').replaceAll('$', '${dollar}')}'`

/**
 * How to start it: what `startServer` takes. `/json` is `body`, with `contentType` as nginx's own field and `headers` added; other
 * paths are files of `folder`. With a certificate it speaks TLS 1.3 only, with `http2` HTTP/2 only.
 */
export function nginx({ body, contentType = 'text/plain', headers = {}, workers, folder, certificate, key, connections = 2048, http2 = false }) {
    const own = mkdtempSync(join(tmpdir(), 'bench-nginx-'))
    process.on('exit', () => rmSync(own, { recursive: true, force: true }))
    const root = process.getuid() === 0
    if (root) chownSync(own, nobody, nobody)
    const added = Object.entries(headers).map(([name, value]) => `add_header ${name} ${quoted(value)};`).join(' ')
    const constant = body === undefined ? '' :
        `location = /json { default_type ${quoted(contentType)}; ${added} return 200 ${quoted(body)}; }`
    const files = folder === undefined ? 'location / { return 404; }' : `location / { root ${folder}; default_type text/plain; }`
    const tls = certificate === undefined ? '' :
        `ssl_certificate ${certificate}; ssl_certificate_key ${key}; ssl_protocols TLSv1.3; ssl_buffer_size 16k;`
    const config = (port) => `
daemon off; worker_processes ${workers}; pid ${own}/pid; error_log stderr warn;
worker_rlimit_nofile 20000;
events { worker_connections ${connections}; }
http {
    access_log off; keepalive_requests 1000000000; server_tokens off; types {} sendfile on; tcp_nopush on;
    open_file_cache max=100; open_file_cache_valid 60s;
    client_body_temp_path ${own}/body; proxy_temp_path ${own}/proxy; fastcgi_temp_path ${own}/fastcgi;
    uwsgi_temp_path ${own}/uwsgi; scgi_temp_path ${own}/scgi;
    geo $dollar { default '$'; }
    server {
        listen 127.0.0.1:${port} backlog=4096${certificate === undefined ? '' : ' ssl'}${http2 ? ' http2' : ''};
        ${tls}
        ${constant}
        ${files}
    }
}
`
    return {
        name: 'nginx',
        command: (port) => {
            writeFileSync(join(own, 'nginx.conf'), config(port))
            return [process.env.NGINX ?? '/usr/sbin/nginx', '-e', 'stderr', '-p', own, '-c', join(own, 'nginx.conf')]
        },
        ...(root && { uid: nobody, gid: nobody }),
    }
}

// The rows of `./bench web`, group by group; names after the options choose some of them.
import { bodies } from './bodies.mjs'
import { http2 } from './http2.mjs'
import { idle } from './idle.mjs'
import { json } from './json.mjs'
import { hog, overload, slowloris } from './pressure.mjs'

const groups = { json, http2, bodies, idle, hog, overload, slowloris }
const chosen = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
for (const name of chosen.length ? chosen : Object.keys(groups)) await groups[name]()

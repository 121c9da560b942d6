// Numbers: CPU of processes, medians over alternating rounds, and the line that ./bench reads.
import { readdirSync, readFileSync } from 'node:fs'

const ticksPerSecond = 100 // USER_HZ, the same on every Linux that runs node

function statOf(pid) {
    try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
        return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    } catch {
        return undefined // gone
    }
}

function childrenOf(pid) {
    try {
        return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
            readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number))
    } catch {
        return []
    }
}

/** CPU seconds, user and system, of a process and all that it started. */
export function cpuSeconds(pid) {
    const stat = statOf(pid)
    if (!stat) return 0
    const own = (Number(stat[11]) + Number(stat[12])) / ticksPerSecond
    return childrenOf(pid).reduce((sum, child) => sum + cpuSeconds(child), own)
}

/** CPU seconds of the children of this process that have ended. */
export function spentByChildren() {
    const stat = statOf('self')
    return (Number(stat[13]) + Number(stat[14])) / ticksPerSecond
}

export function median(numbers) {
    const sorted = [...numbers].sort((a, b) => a - b)
    const middle = sorted.length >> 1
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** The medians of the fields that all those objects share and that are numbers. */
export function medians(results) {
    return Object.fromEntries(Object.keys(results[0]).filter((key) => typeof results[0][key] === 'number')
        .map((key) => [key, median(results.map((result) => result[key]))]))
}

/**
 * Measures each subject once a round, in turns, so that a machine that gets slower does so for all of them. Resolves with
 * an array of results per subject's name.
 */
export async function alternate(rounds, subjects, measureOne) {
    const results = Object.fromEntries(subjects.map((subject) => [subject.name, []]))
    for (let round = 0; round < rounds; round++) {
        // Every other round runs backwards: nobody always follows the same neighbour.
        for (const subject of round % 2 ? [...subjects].reverse() : subjects) {
            const result = await measureOne(subject)
            results[subject.name].push(result)
            console.error(`  round ${round + 1}/${rounds} ${subject.name}: ${JSON.stringify(result)}`)
        }
    }
    return results
}

/** Prints one result. `better` says whether more of the unit is better (`more`) or less (`less`). */
export function row({ id, unit, ours, peer, peerName, better = 'more', target = null, note = '' }) {
    const ratio = better === 'more' ? ours / peer : peer / ours
    const rounded = (number) => Number(number.toPrecision(6))
    console.log(JSON.stringify({
        id, unit, ours: rounded(ours), peer: rounded(peer), peer_name: peerName, ratio: rounded(ratio),
        target: target === null ? null : rounded(target), met: target === null ? null : ratio >= target, note,
    }))
}

export const count = (number) => Math.round(number).toLocaleString('en-US')

/** How much the rounds differ: half the spread around the median, in percent. */
export function spread(numbers) {
    return `±${Math.round((50 * (Math.max(...numbers) - Math.min(...numbers))) / median(numbers))} %`
}

/** The options that every area's `run` takes. */
export const smoke = process.argv.includes('--smoke')

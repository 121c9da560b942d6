#!/usr/bin/env bash
# The build in $1 keeps within its budget, by its .ninja_log: $2 core-seconds in all, $3 seconds for any one step (what was
# built most recently counts for each output; a step that ccache answered counts as it took). The seconds are those of a machine
# that parses the precompiled header's includes in 1.2 s; on one that takes longer they are as much longer.
set -euo pipefail
reference=1.2
header=$(dirname "$0")/../../cmake/pch.hpp
TIMEFORMAT=%U
parse() { { time clang++-19 -std=c++23 -fsyntax-only -x c++ "$header" 2>/dev/null; } 2>&1; }
now=${BENNU_PARSE_SECONDS-$({ parse && parse; } | sort -n | head -n 1)}
awk -v total="$2" -v single="$3" -v now="$now" -v reference="$reference" '
BEGIN {
    slower = now > reference ? now / reference : 1
    total *= slower
    single *= slower
}
!/^#/ {
    outputs[$4] = $1 " " $2 " " $5
    seconds[$1 " " $2 " " $5] = ($2 - $1) / 1000
}
END {
    for (output in outputs) {
        step = outputs[output]
        if (step in counted) continue  # several outputs of one step
        counted[step] = 1
        sum += seconds[step]
        if (seconds[step] > longest) { longest = seconds[step]; slowest = output }
        if (seconds[step] > single) { printf "%.1f s for %s (at most %d)\n", seconds[step], output, single; failed = 1 }
    }
    printf "%d core-seconds in all (at most %d); the slowest step took %.1f s: %s; the header was parsed in %.1f s\n", sum, total, longest, slowest, now
    exit failed || sum > total || sum == 0
}' "$1/.ninja_log"

#!/usr/bin/env bash
# Result lines of benches (benches/README.md) from standard input, as an aligned table.
set -euo pipefail
jq -r -s '
    def shown: if type != "number" then "–"
        elif (fabs) >= 1000 then round | tostring | [match("(?:^[0-9]{1,3}(?=(?:[0-9]{3})*$)|[0-9]{3})"; "g").string] | join(",")
        else (. * 100 | round) / 100 | tostring end;
    ["measurement", "unit", "ours", "peer", "", "ratio", "target", "met", "note"],
    (.[] | [.id, .unit, (.ours | shown), (.peer | shown), (.peer_name // "–"), (.ratio | shown), (.target | shown),
        (if .met == null then "–" elif .met then "yes" else "NO" end), (.note // "")])
    | map(if . == "" then " " else . end) | @tsv' | column -t -s $'\t' -R 3,4,6,7

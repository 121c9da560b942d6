#!/usr/bin/env bash
# Who may include what, from the tree in $1: an area only the areas above it; an app's code only the one public header of
# another context (lib/assets/assets.hpp); a public header nothing of another party's. Prints each breach; fails on any.
set -euo pipefail
cd "$1"
rooms=()
for room in bennu apps clients examples tools; do [ ! -d $room ] || rooms+=("$room"); done
[ ${#rooms[@]} -gt 0 ] || exit 0
# shellcheck disable=SC2016  # awk's dollars
find "${rooms[@]}" -name '*.[ch]pp' -print0 | xargs -0 -r awk '
BEGIN {
    count = split("base i18n runtime net telemetry data pubsub cache jobs flow web channel live auth graphql events " \
                  "remote mail dashboard", areas, " ")
    for (i = 1; i <= count; i++) floor[areas[i]] = i
    foreign = "^[<\"](boost/(asio|beast|json|describe)|spdlog/|nlohmann/|simdjson|openssl/|libpq-fe|sqlite3|gtest/|gmock/|" \
              "iostream>|regex>|fmt/|curl/|csv\\.h|toml\\+\\+|CLI/|zlib\\.h|brotli/|zstd\\.h|hiredis|nats/|nghttp2/|ares\\.h)"
}
function breach(why) {
    printf "%s:%d: %s\n", FILENAME, FNR, why
    failed = 1
}
FNR == 1 {
    split(FILENAME, path, "/")
    header = FILENAME ~ /\.hpp$/ && FILENAME !~ /_(test|testing)\.hpp$/
}
/^[ \t]*#[ \t]*include[ \t]*["<]/ {
    target = $0
    sub(/^[ \t]*#[ \t]*include[ \t]*/, "", target)
    if (header && target ~ foreign) breach("a header includes " target "; wrap it in one adapter .cpp")
    if (target !~ /^"/) next
    gsub(/"/, "", target)
    split(target, to, "/")
    if (path[1] == "bennu" && to[1] == "bennu") {
        if (!(to[2] in floor)) breach("no such area: " to[2])
        else if (!(path[2] in floor)) breach("not an area of the house: bennu/" path[2])
        else if (floor[to[2]] > floor[path[2]]) breach(path[2] " is above " to[2] " and may not include " target)
    }
    if (path[1] == "bennu" && to[1] ~ /^(apps|examples|tools|tests)$/) breach("the platform includes " target)
    if (path[1] == "apps" && match(target, /(^|\/)lib\/[^\/]+\//)) {
        split(substr(target, RSTART), at, "/")
        context = at[1] == "" ? at[3] : at[2]
        name = target
        sub(/^.*\//, "", name)
        if (index(FILENAME, "/lib/" context "/") == 0 && name != context ".hpp")
            breach(target " is private to " context "; include its " context ".hpp")
    }
}
END { exit failed }
'

#!/usr/bin/env bash
# Builds the front end into apps/assetronics/priv/static, when its sources, or those of clients/js, have changed.
set -euo pipefail
scripts=$(cd "$(dirname "$0")" && pwd)
app=$scripts/../apps/assetronics
"$scripts/npm_ci.sh" "$app/assets"
bin=$("$scripts/node.sh")
PATH=$bin:$PATH
cd "$app/assets"
static=../priv/static
stamp=node_modules/.built
sources=$(find . ../../../clients/js -name node_modules -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
if [ -f "$static/index.html" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$sources" ]; then
    exit
fi
echo "building with node $(node --version)"
npm run build
echo "$sources" >"$stamp"

#!/usr/bin/env bash
# Tries ./run and ./test as a newcomer would: in a bare Debian 12 root, with the working copy and nothing else of ours.
# The machine's network settings, certificates and package sources are copied in when it runs.
#   scripts/fresh.sh [--warm] [--keep] [run | test]…
#     --warm  shares this machine's compiler cache    --keep  leaves the root in place and says where
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "./test fresh makes a root file system: it needs root or sudo"
    exec sudo env "CCACHE_DIR=${CCACHE_DIR:-$HOME/.cache/ccache}" "$root/scripts/fresh.sh" "$@"
fi

# Mounts and processes of the trial live in namespaces of their own and vanish with this script.
if [ -z "${BENNU_FRESH_INSIDE-}" ]; then
    scripts/install.sh fresh
    exec env BENNU_FRESH_INSIDE=1 unshare --mount --pid --fork --kill-child "$0" "$@"
fi

warm='' keep='' parts=()
for argument; do
    case $argument in
    --warm) warm=yes ;;
    --keep) keep=yes ;;
    *) parts+=("$argument") ;;
    esac
done
[ ${#parts[@]} -gt 0 ] || parts=(run test)

bare=$(mktemp -d "${TMPDIR:-/tmp}/bennu-fresh.XXXXXX")
finish() {
    if [ "$keep" ]; then
        echo "the root is left in $bare"
    else
        # The mounts below it are this namespace's: without them there is nothing of the machine to remove.
        umount -l "$bare"/{proc,dev,sys,var/cache/apt/archives} "$bare/root/.cache/ccache" 2>/dev/null || :
        rm -rf --one-file-system "$bare"
    fi
}
trap finish EXIT

make_root() {
    local options=() file
    # The machine's apt settings matter (proxies, certificates); its hooks do not.
    for file in /etc/apt/apt.conf.d/*; do
        ! grep -qE '^ *(Acquire|APT::Sandbox)' "$file" || grep -qiE 'invoke|hook' "$file" || options+=("--aptopt=$file")
    done
    local sources=()
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
        if [ -f "$file" ] && grep -q bookworm "$file"; then sources+=("$file"); fi
    done
    mmdebstrap --variant=minbase --mode=root "${options[@]+"${options[@]}"}" bookworm "$bare" "${sources[@]}"

    cp -L /etc/resolv.conf /etc/hosts "$bare/etc/"
    mkdir -p "$bare/usr/local/share/ca-certificates" "$bare/srv"
    cp -rL /usr/local/share/ca-certificates/. "$bare/usr/local/share/ca-certificates/" 2>/dev/null || :
    [ ! -f /etc/ssl/certs/ca-certificates.crt ] || cp /etc/ssl/certs/ca-certificates.crt "$bare/srv/certificates.pem"

    # A clone, with what the working copy has changed and not committed yet.
    git -c safe.directory="$root" clone -q "$root" "$bare/srv/bennu"
    git -c safe.directory="$root" ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
        if [ -f "$file" ]; then printf '%s\0' "$file"; fi
    done | tar --null -T - -cf - | tar -xf - -C "$bare/srv/bennu"
    chmod -R go+rX "$bare/srv"

    mount -t proc proc "$bare/proc"
    mount --rbind /dev "$bare/dev"
    mount --rbind -o ro /sys "$bare/sys"
    if [ "$warm" ]; then
        mkdir -p "$bare/root/.cache/ccache" "${CCACHE_DIR:-$HOME/.cache/ccache}"
        mount --bind "${CCACHE_DIR:-$HOME/.cache/ccache}" "$bare/root/.cache/ccache"
    fi
}

# inside [chroot option…] COMMAND…: in the bare root with the environment of a fresh machine, proxies and registry included.
inside() {
    local names=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 CI=true) name
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY PORT; do
        [ -z "${!name-}" ] || names+=("$name=${!name}")
    done
    if command -v npm >/dev/null; then names+=("npm_config_registry=$(npm config get registry)"); fi
    if [ -f "$bare/srv/certificates.pem" ]; then
        names+=({NODE_EXTRA_CA_CERTS,npm_config_cafile}"=/srv/certificates.pem")
    fi
    (cd / && env -i "${names[@]}" chroot "$@")
}

refuses_without_rights() {
    local output
    if output=$(inside --userspec=65534:65534 "$bare" /srv/bennu/run 2>&1 </dev/null); then return 1; fi
    echo "$output"
    grep -q 'clang-19' <<<"$output" && grep -q 'apt-get install' <<<"$output"
}

# Starts ./run, waits for its ready line, asks for the page and the API, and stops it as Ctrl-C does.
try_run() {
    local log=$logs/fresh-server.log pid answer status=0 began=$SECONDS limit=$1
    PORT=$((20000 + RANDOM % 20000))
    : >"$log"
    # A job of its own: a background job of a script ignores the interrupt that is to stop it.
    set -m
    PORT=$PORT inside "$bare" /srv/bennu/run >"$log" 2>&1 </dev/null &
    pid=$!
    set +m
    until grep -q 'Assetronics is ready at' "$log"; do
        sleep 0.2
        if ! kill -0 $pid 2>/dev/null || [ $((SECONDS - began)) -gt "$limit" ]; then
            tail -n 60 "$log"
            kill -- -$pid 2>/dev/null || :
            return 1
        fi
    done
    grep 'Assetronics is ready at' "$log"
    echo "ready after $((SECONDS - began)) s"
    answer=$(curl -fsSL "http://localhost:$PORT/" | head -c 200) && grep -qi '<!doctype html' <<<"$answer" || status=1
    curl -fsS "http://localhost:$PORT/api/v1/assets?page_size=1" | grep -q '"data"' || status=1
    kill -INT -- -$pid
    local code=0
    wait $pid || code=$?
    echo "stopped with $code after an interrupt"
    case $code in 0 | 130) ;; *) status=1 ;; esac
    return $status
}

steps=2
for part in "${parts[@]}"; do [ "$part" = run ] && steps=$((steps + 2)) || steps=$((steps + 1)); done
passed=0 failed=0
trial() {
    announce "$1"
    local name=$2
    shift 2
    if quietly "$label" "$name" "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        tail -n 60 "$logs/$name.log"
    fi
    grep -hE '^ready after|passed, .* failed' "$logs/$name.log" | tail -n 1 || :
}
run_step "make a bare root" fresh-root make_root
trial "./run says what is missing to a user without rights" fresh-refusal refuses_without_rights
for part in "${parts[@]}"; do
    case $part in
    run)
        trial "./run" fresh-run try_run 3000
        trial "./run a second time, within 15 s" fresh-rerun try_run 15
        ;;
    test) trial "./test" fresh-test inside "$bare" /srv/bennu/test ;;
    esac
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]

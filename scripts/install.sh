#!/usr/bin/env bash
# Installs the Debian packages that the named purposes need and this machine lacks.
#   scripts/install.sh run test     installs; without the rights to, says which packages are missing and exits 1
#   scripts/install.sh --check run  prints what is missing, one package a line
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

# What needs root. Servers must not start, now or at boot: tests and benches start their own.
if [ "${1-}" = --as-root ]; then
    shift
    services=${1#disable=}
    shift
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod +x /usr/sbin/policy-rc.d
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    export DEBIAN_FRONTEND=noninteractive
    install=(apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$@")
    # Package lists may be missing or old; fetching them is only worth it when an install fails without.
    "${install[@]}" || { apt-get update && "${install[@]}"; }
    for service in $services; do
        update-rc.d "$service" disable || :
    done
    exit
fi

check=
if [ "${1-}" = --check ]; then
    check=yes
    shift
fi
wanted=() disable=
declare -A unless=() service=()
for purpose; do
    while read -r package options; do
        case $package in '' | '#'*) continue ;; esac
        wanted+=("$package")
        for option in ${options%%#*}; do
            case $option in
            unless=*) unless[$package]=${option#*=} ;;
            disable=*) service[$package]=${option#*=} ;;
            esac
        done
    done <"$here/packages/$purpose.txt"
done

installed=" $(dpkg-query -W -f '${db:Status-Status}=${Package} ' "${wanted[@]}" 2>/dev/null || :)"
missing=()
for package in $(printf '%s\n' "${wanted[@]}" | sort -u); do
    case $installed in *" installed=$package "*) continue ;; esac
    command -v "${unless[$package]:-/nonexistent}" >/dev/null && continue
    missing+=("$package")
    disable+=" ${service[$package]-}"
done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$check" ]; then
    printf '%s\n' "${missing[@]}"
    exit
fi

if [ "$(id -u)" = 0 ]; then
    become=()
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 2 ] && sudo -v; }; }; then
    become=(sudo env)
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        [ -z "${!name-}" ] || become+=("$name=${!name}")
    done
else
    {
        echo "These packages are missing, and this user may not install them:"
        printf '  %s\n' "${missing[@]}"
        echo "Someone who may can install them with:"
        echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}"
    } >&2
    exit 1
fi
echo "installing ${missing[*]}"
"${become[@]+"${become[@]}"}" bash "$here/install.sh" --as-root "disable=${disable# }" "${missing[@]}"

#!/bin/sh
# Compiler launcher: ccache whose hits survive a move of the checkout, so that a fresh clone builds warm.
# A precompiled header records absolute paths, so it is always compiled in place; beside it goes a checksum of what it was
# made of, which ccache hashes instead of the header itself.
set -e
root=${0%/cmake/ccache.sh}
case " $* " in
*" -emit-pch "*)
    "$@"
    for arg; do
        case $previous in
        -o) output=$arg ;;
        -MF) depfile=$arg ;;
        esac
        previous=$arg
    done
    {
        echo "$*" | sed "s#$root##g"
        sed -e 's/^[^ ]*: *//' -e 's/\\$//' "$depfile" | tr -s ' ' '\n' | grep -v -e "^$root" -e '^$' | sort -u | xargs sha256sum
    } | sha256sum >"$output.sum"
    ;;
*)
    CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1 \
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime exec ccache "$@"
    ;;
esac

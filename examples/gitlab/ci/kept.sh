#!/usr/bin/env bash
# Copies what one run hands on to the next, from a folder $1 into a folder $2: the connects that are still open, and
# whose consent is awaited since when. Nothing else of a state folder outlives a machine: what is old could let
# something be done again. Whoever reads these two takes an old, or a forged, one for a reason to look, never to write.
unset "${!EXTCAL_@}"
set -euo pipefail
shopt -s inherit_errexit
shopt -s nullglob
umask 077

from=$1
to=$2
# As much as extcal reads of either.
largest=$((16 * 1024 * 1024))
copied=0
passed_over=0

# Whether $1 is a file at SERVICE/SITE/NAME below $from as extcal names it, and no link leads there.
is_ours() {
    local site=${1%/*}
    local service=${site%/*}
    [[ ${service##*/} =~ ^[0-9a-f-]{1,64}$ && ${site##*/} =~ ^[0-9a-f-]{1,64}$ ]] || return 1
    [[ ! -L $service && ! -L $site && ! -L $1 && -f $1 ]] || return 1
    (($(stat -c %s -- "$1") <= largest))
}

mkdir -p -- "$to"
for file in "$from"/*/*/{journal,consent-requests}; do
    if is_ours "$file"; then
        place=$to${file#"$from"}
        mkdir -p -- "${place%/*}"
        cp -- "$file" "$place"
        copied=$((copied + 1))
    else
        passed_over=$((passed_over + 1))
    fi
done
# A cache of nothing would be none, and an older one would be restored in its place.
: >"$to/kept"
echo "extcal: $copied files of earlier runs handed on, $passed_over passed over that are not extcal's"

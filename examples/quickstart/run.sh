#!/bin/sh
# The everyday loop on the embedded sandbox: validate, plan, apply, plan again. Its data goes to the folder $1.
set -eu
world=${1:-.extcal/quickstart}
manifests=examples/quickstart

# The sandbox's made-up account; a real app password comes from your secret store.
export EXTCAL_LEE_APP_PASSWORD=seagull-lantern-41

run() {
    echo
    echo "\$ extcal $*"
    extcal "$@"
}

extcal sandbox reset --data "$world" --quiet
run validate "$manifests"
run plan "$manifests" --sandbox "$world"
# 3 says that owners have yet to consent; anything else than that or 0 is a failure.
run apply "$manifests" --sandbox "$world" --auto-approve || [ $? -eq 3 ]
run connections --sandbox "$world"
run plan "$manifests" --sandbox "$world"

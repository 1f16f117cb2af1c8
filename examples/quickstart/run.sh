#!/bin/sh
# The everyday loop on the embedded sandbox: validate, plan, apply, plan again, and a look at what has come of it in both
# directions. Its data goes to the folder $1.
set -eu
# Whatever is set for your real sites is none of the sandbox's business.
for name in $(env | sed -n 's/^\(EXTCAL_[A-Za-z0-9_]*\)=.*/\1/p'); do
    unset "$name"
done
world=${1:-.extcal/quickstart}
manifests=examples/quickstart

run() {
    echo
    echo "\$ extcal $*"
    extcal "$@"
}

extcal sandbox reset --data "$world" --quiet
run validate "$manifests"
run plan "$manifests" --sandbox "$world"
# The sandbox's made-up account; a real app password comes from your secret store, and apply alone needs it.
# 3 says that owners have yet to consent; anything else than that or 0 is a failure.
(
    export EXTCAL_LEE_APP_PASSWORD=seagull-lantern-41
    run apply "$manifests" --sandbox "$world" --auto-approve --consent link
) || [ $? -eq 3 ]
run connections --sandbox "$world"
run plan "$manifests" --sandbox "$world"

# Import: Dr. Lee's own appointments keep the schedule busy.
run events --sandbox "$world" --personal
# Export: a booking on Dr. Lee's schedule appears in a calendar of its own in the Apple account.
run sandbox events add --data "$world" --schedule 3e47ec65-2975-447c-a7ed-75041e850d5e --title Check-up \
    --start 2030-01-15T09:00:00-05:00 --end 2030-01-15T09:30:00-05:00
calendar="$world/calendars/apple/lee@harbor-dental.example/Harbor Dental.ics"
echo
echo "\$ cat '$calendar'"
cat "$calendar"

#!/usr/bin/env bash
# Runs one extcal command. Inputs come by environment and become whole arguments: no shell reads them a second time.
set -euo pipefail
shopt -s inherit_errexit

extcal=$RUNNER_TEMP/extcal-venv/bin/extcal
folder=$RUNNER_TEMP/extcal
declare -A suffixes=([text]=txt [json]=json [markdown]=md [html]=html [github]=txt)

fail() {
    echo "::error title=extcal::$1"
    exit 64
}

# Puts the lines of $2 that are not empty into the array named $1.
lines() {
    local -n into=$1
    local line
    into=()
    while IFS= read -r line || [[ -n $line ]]; do
        line=${line%$'\r'}
        [[ -z $line ]] || into+=("$line")
    done < <(printf '%s' "$2")
}

# Every value is masked on its own, since the runner knows only the secret as a whole.
export_passwords() {
    local entries entry
    lines entries "${EXTCAL_PASSWORDS-}"
    unset EXTCAL_PASSWORDS
    for entry in "${entries[@]}"; do
        [[ $entry =~ ^EXTCAL_[A-Z0-9_]+=. ]] ||
            fail "the secret EXTCAL_PASSWORDS has a line that is not EXTCAL_NAME=value; a value is a single line"
        local value=${entry#*=}
        echo "::add-mask::${value//%/%25}"
        export "${entry%%=*}=$value"
    done
}

append_summary() {
    {
        if [[ $INPUT_FORMAT == markdown ]]; then
            cat "$1"
        else
            echo "<pre>"
            # A summary holds a megabyte at most.
            head -c 500000 "$1" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'
            echo "</pre>"
        fi
    } >>"$GITHUB_STEP_SUMMARY"
}

suffix=${suffixes[$INPUT_FORMAT]-}
[[ -n $suffix ]] || fail "the input format is '$INPUT_FORMAT'; known are ${!suffixes[*]}"
[[ $INPUT_COMMAND =~ ^[a-z]+$ ]] || fail "the input command is not the name of an extcal command"
[[ -x $extcal ]] || fail "extcal is not installed; let the action install go before, in a step without any secret"
[[ -z $INPUT_PLAN || $INPUT_DIGEST =~ ^sha256:[0-9a-f]{64}$ ]] ||
    fail "the input plan needs the input digest, that of the plan which was reviewed: sha256: and 64 hexadecimal digits"
lines paths "$INPUT_PATHS"
lines arguments "$INPUT_ARGUMENTS"
read -ra accepted <<<"$INPUT_ACCEPT"

mkdir -p "$folder"
report=$folder/$INPUT_COMMAND.$suffix
words=("$INPUT_COMMAND" --format "$INPUT_FORMAT" "${arguments[@]}")
case $INPUT_COMMAND in
plan)
    rm -f "$folder/plan.json"
    if [[ -n $INPUT_PLAN ]]; then
        words+=(--reviewed "$INPUT_PLAN" --digest "$INPUT_DIGEST")
    else
        words+=(--out "$folder/plan.json")
    fi
    words+=(-- "${paths[@]}")
    ;;
apply)
    [[ -n $INPUT_PLAN ]] || fail "apply needs the input plan: only a saved plan, one that was reviewed, is carried out"
    rm -f "$folder/undo.json"
    # Whoever opens a consent link can connect a calendar, and too many people can read what a run leaves behind: here
    # none is asked for.
    words+=(--auto-approve --consent skip --undo-out "$folder/undo.json" --plan "$INPUT_PLAN" --digest "$INPUT_DIGEST")
    ;;
*) words+=(-- "${paths[@]}") ;;
esac
export_passwords

# Nothing that a service or a manifest says may pass for a command to the runner.
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
code=0
echo "::stop-commands::$token"
"$extcal" "${words[@]}" >"$report" || code=$?
echo "::$token::"

if [[ $INPUT_FORMAT == github ]]; then
    # These are the annotations, which extcal has made safe.
    cat "$report"
else
    append_summary "$report"
fi
{
    echo "exit-code=$code"
    echo "report=$report"
    [[ ! -s $folder/plan.json ]] || echo "plan=$folder/plan.json"
    [[ ! -s $folder/undo.json ]] || echo "undo=$folder/undo.json"
} >>"$GITHUB_OUTPUT"

for each in 0 "${accepted[@]}"; do
    [[ $code != "$each" ]] || exit 0
done
echo "::error title=extcal::extcal $INPUT_COMMAND ended with exit code $code"
exit "$code"

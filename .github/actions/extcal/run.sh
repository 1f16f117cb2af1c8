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

# What is not configured is not set: an empty value would be taken for a wrong one.
drop_empty() {
    local name
    for name in "${!EXTCAL_@}"; do
        [[ -n ${!name} ]] || unset "$name"
    done
}

# Links go to whoever holds the key of the certificate: logs, summaries and artifacts have too many readers.
check_certificate() {
    [[ -n ${EXTCAL_CONSENT_CERTIFICATE-} ]] ||
        fail "consent: link needs the variable EXTCAL_CONSENT_CERTIFICATE, for which the links are encrypted"
    printf '%s\n' "$EXTCAL_CONSENT_CERTIFICATE" >"$folder/certificate.pem"
    openssl x509 -in "$folder/certificate.pem" -noout -checkend 0 >/dev/null 2>&1 ||
        fail "the variable EXTCAL_CONSENT_CERTIFICATE is no certificate in PEM, or one that has expired"
    unset EXTCAL_CONSENT_CERTIFICATE
}

encrypt_links() {
    [[ -s $folder/links.csv ]] || return 0
    openssl cms -encrypt -aes-256-gcm -binary -outform DER -in "$folder/links.csv" -out "$folder/links.csv.cms" \
        "$folder/certificate.pem"
}

# What both kinds of apply are told about owners, and where who changed what is recorded, into the array `consents`.
consent_words() {
    consents=(--record "$folder/history.jsonl" --consent "$INPUT_CONSENT")
    case $INPUT_CONSENT in
    skip) ;;
    mail)
        consents+=(--remind-after "$INPUT_REMIND_AFTER")
        if [[ -n ${EXTCAL_MAIL_TEMPLATE-} ]]; then
            mkdir -p "$folder/templates"
            printf '%s\n' "$EXTCAL_MAIL_TEMPLATE" >"$folder/templates/default.yaml"
            unset EXTCAL_MAIL_TEMPLATE
            export EXTCAL_MAIL_TEMPLATES=$folder/templates
        fi
        ;;
    link)
        check_certificate
        consents+=(--consent-file "$folder/links.csv")
        ;;
    *) fail "the input consent is '$INPUT_CONSENT'; known are skip, link and mail" ;;
    esac
}

# Shows a report in the summary; $2 is its format.
append_summary() {
    {
        if [[ $2 == markdown ]]; then
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

drop_empty
# What a machine that goes away with the job has to remember is kept by save-state.
export EXTCAL_STATE_DIR=${EXTCAL_STATE_DIR:-$RUNNER_TEMP/extcal-state}
mkdir -p "$folder"
rm -f "$folder"/{links.csv,links.csv.cms,history.md,history.jsonl}
trap 'rm -f "$folder/links.csv"' EXIT
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
    consent_words
    words+=(--auto-approve "${consents[@]}" --undo-out "$folder/undo.json" --plan "$INPUT_PLAN" --digest "$INPUT_DIGEST")
    ;;
consents)
    [[ -z $INPUT_PLAN ]] || fail "consents takes no plan: it finishes what earlier runs of apply have begun"
    [[ $INPUT_CONSENT != link ]] || fail "the input consent is link; of consents it is skip or mail"
    consent_words
    words=(apply "${words[@]:1}" --auto-approve --only-consents "${consents[@]}" -- "${paths[@]}")
    ;;
*) words+=(-- "${paths[@]}") ;;
esac
export_passwords

# Nothing that a service or a manifest says may pass for a command to the runner.
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
code=0
echo "::stop-commands::$token"
"$extcal" "${words[@]}" >"$report" || code=$?
if [[ -s $folder/history.jsonl ]]; then
    # A machine that stays knows of other runs, too.
    "$extcal" history --since "$((SECONDS / 60 + 1))m" --format markdown >"$folder/history.md" || true
fi
encrypt_links || code=1
echo "::$token::"

if [[ $INPUT_FORMAT == github ]]; then
    # These are the annotations, which extcal has made safe.
    cat "$report"
else
    append_summary "$report" "$INPUT_FORMAT"
fi
if [[ -s $folder/history.md ]]; then
    echo "### Who changed what" >>"$GITHUB_STEP_SUMMARY"
    append_summary "$folder/history.md" markdown
fi
{
    echo "exit-code=$code"
    echo "report=$report"
    [[ ! -s $folder/plan.json ]] || echo "plan=$folder/plan.json"
    [[ ! -s $folder/undo.json ]] || echo "undo=$folder/undo.json"
    [[ ! -s $folder/history.jsonl ]] || echo "history=$folder/history.jsonl"
    [[ ! -s $folder/links.csv.cms ]] || echo "links=$folder/links.csv.cms"
} >>"$GITHUB_OUTPUT"

for each in 0 "${accepted[@]}"; do
    [[ $code != "$each" ]] || exit 0
done
echo "::error title=extcal::extcal $INPUT_COMMAND ended with exit code $code"
exit "$code"

#!/usr/bin/env bash
# Opens, updates or closes the one drift issue, by how `extcal plan --detailed-exitcode` ended.
unset "${!EXTCAL_@}"
set -euo pipefail
shopt -s inherit_errexit

issues=repos/$GITHUB_REPOSITORY/issues

# The number of the open issue, if there is one; people may use the label for issues of their own.
open_issue() {
    local found
    found=$(gh api --paginate "$issues?state=open&labels=$INPUT_LABEL&per_page=100" \
        --jq '.[] | select(.user.type == "Bot" and .pull_request == null) | .number')
    echo "${found%%$'\n'*}"
}

ensure_label() {
    gh api --silent "repos/$GITHUB_REPOSITORY/labels/$INPUT_LABEL" 2>/dev/null ||
        gh api --silent --method POST "repos/$GITHUB_REPOSITORY/labels" --raw-field "name=$INPUT_LABEL" \
            --raw-field color=d93f0b --raw-field 'description=The live state differs from the manifests'
}

[[ $INPUT_LABEL =~ ^[A-Za-z0-9_-]+$ ]] || {
    echo "::error title=extcal::the input label may hold letters, digits, - and _ only"
    exit 64
}
case $INPUT_EXIT_CODE in
0)
    number=$(open_issue)
    if [[ -n $number ]]; then
        gh api --silent --method POST "$issues/$number/comments" \
            --raw-field 'body=The live state agrees with the manifests again.'
        gh api --silent --method PATCH "$issues/$number" --raw-field state=closed --raw-field state_reason=completed
    fi
    ;;
2)
    number=$(open_issue)
    if [[ -n $number ]]; then
        gh api --silent --method PATCH "$issues/$number" --field "body=@$INPUT_REPORT"
    else
        ensure_label
        gh api --silent --method POST "$issues" --raw-field 'title=Calendar connections drifted from the manifests' \
            --field "body=@$INPUT_REPORT" --raw-field "labels[]=$INPUT_LABEL"
    fi
    ;;
*)
    echo "::error title=extcal::the drift run failed, so the issue was left as it is; the log of extcal says why"
    exit 1
    ;;
esac

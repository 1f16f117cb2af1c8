#!/usr/bin/env bash
# Shows a plan in a pull request: writes the one comment that begins with the marker, or makes it.
unset "${!EXTCAL_@}"
set -euo pipefail
shopt -s inherit_errexit

export MARKER='<!-- extcal-plan -->'
body=$INPUT_REPORT
if [[ ! -s $body ]]; then
    body=$(mktemp)
    trap 'rm -f "$body"' EXIT
    run=$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID
    printf '%s\n**extcal could not make a plan.** Its [log](%s) says why.\n' "$MARKER" "$run" >"$body"
fi

# Anybody can write the marker: only what a bot wrote is ours to change.
found=$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$INPUT_PULL_REQUEST/comments?per_page=100" \
    --jq '.[] | select(.user.type == "Bot" and (.body | startswith(env.MARKER))) | .id')
if [[ -n $found ]]; then
    gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/${found%%$'\n'*}" --field "body=@$body"
else
    gh api --silent --method POST "repos/$GITHUB_REPOSITORY/issues/$INPUT_PULL_REQUEST/comments" --field "body=@$body"
fi

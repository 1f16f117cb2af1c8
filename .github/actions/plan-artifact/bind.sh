#!/usr/bin/env bash
# Lays a plan out as an artifact, beside it what it is the plan of.
unset "${!EXTCAL_@}"
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source-path=SCRIPTDIR source=context.sh
source "${BASH_SOURCE[0]%/*}/context.sh"

fail() {
    echo "::error title=extcal::$1"
    exit 64
}

[[ $GITHUB_EVENT_NAME == pull_request ]] || fail "a plan is kept for a pull request; this event is $GITHUB_EVENT_NAME"
[[ $INPUT_BASE =~ ^[0-9a-f]{40,64}$ ]] || fail "the input base must be the full id of a commit"
[[ $GITHUB_BASE_REF =~ ^[A-Za-z0-9._/-]+$ ]] ||
    fail "the name of the base branch may hold letters, digits, ., _, / and - only"

folder=$RUNNER_TEMP/extcal-plan-artifact
rm -rf "$folder"
mkdir "$folder"
cp -- "$INPUT_PLAN" "$folder/plan.json"
plan=$(sha256_of "$folder/plan.json")
plan_context "$NUMBER" "$GITHUB_BASE_REF" "$INPUT_BASE" "$HEAD_SHA" "$GITHUB_WORKFLOW_REF" "$GITHUB_WORKFLOW_SHA" \
    "$GITHUB_RUN_ID" "$GITHUB_RUN_ATTEMPT" "$plan" >"$folder/context.json"
context=$(sha256_of "$folder/context.json")
{
    echo "folder=$folder"
    echo "context-digest=sha256:$context"
    echo "artifact=extcal-plan-$NUMBER-$HEAD_SHA-$GITHUB_RUN_ATTEMPT"
} >>"$GITHUB_OUTPUT"

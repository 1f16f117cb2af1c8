# What a plan is bound to, as the one line of context.json; read by the scripts that write it and check it.
# shellcheck shell=bash

# NUMBER BASE_REF BASE_SHA HEAD_SHA WORKFLOW_REF WORKFLOW_SHA RUN_ID RUN_ATTEMPT PLAN_SHA256
plan_context() {
    printf '{"pull_request": %s, "base_ref": "%s", "base_sha": "%s", "head_sha": "%s", "workflow_ref": "%s", ' "${@:1:5}"
    printf '"workflow_sha": "%s", "run_id": %s, "run_attempt": %s, "plan_sha256": "%s"}\n' "${@:6}"
}

# The SHA-256 of file $1.
sha256_of() {
    local line
    line=$(sha256sum <"$1")
    echo "${line%% *}"
}

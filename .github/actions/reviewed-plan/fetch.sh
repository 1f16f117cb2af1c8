#!/usr/bin/env bash
# Fetches the plan of the one pull request that this push merged: the artifact of a run of the plan workflow on the head
# that was merged, bound to that pull request, with the digest that its comment showed. Whatever could mean two things
# is refused.
unset "${!EXTCAL_@}"
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source-path=SCRIPTDIR source=../plan-artifact/context.sh
source "${BASH_SOURCE[0]%/*}/../plan-artifact/context.sh"

repository=repos/$GITHUB_REPOSITORY
branch=${GITHUB_REF#refs/heads/}
folder=$RUNNER_TEMP/extcal-reviewed
again="nothing is applied; open a pull request that is planned anew"

refuse() {
    echo "::error title=extcal::$1"
    exit 1
}

# Sets NUMBER, HEAD_SHA and MERGED_AT, for jq too.
find_pull_request() {
    local merged base
    merged=$(gh api --paginate "$repository/commits/$GITHUB_SHA/pulls?per_page=100" --jq \
        '.[] | select(.merged_at != null and .merge_commit_sha == env.GITHUB_SHA)
         | "\(.number) \(.head.sha) \(.merged_at) \(.base.ref)"')
    [[ -n $merged ]] ||
        refuse "no pull request was merged as $GITHUB_SHA, so no plan was reviewed and nothing is applied"
    [[ $merged != *$'\n'* ]] ||
        refuse "several pull requests were merged as $GITHUB_SHA, so it is not clear which plan was reviewed; $again"
    read -r NUMBER HEAD_SHA MERGED_AT base <<<"$merged"
    export NUMBER HEAD_SHA MERGED_AT
    [[ $base == "$branch" ]] || refuse "pull request #$NUMBER was merged into $base, not into $branch; $again"
}

# How what was pushed lies to commit $1: ahead, behind, identical or diverged.
status_since() {
    gh api "$repository/compare/$1...$GITHUB_SHA" --jq .status
}

# A push of several merges, as a merge queue makes it, would leave the plans of all but the last undone; one that takes
# commits off the branch, back to an older merge, was reviewed by nobody.
refuse_other_merges() {
    local status commits other
    status=$(status_since "$BEFORE")
    [[ $status == ahead ]] || refuse "this push took commits off $branch, so it is no merge of #$NUMBER; $again"
    commits=$(gh api --paginate "$repository/compare/$BEFORE...$GITHUB_SHA?per_page=100" --jq '.commits[].sha')
    for COMMIT in $commits; do
        [[ $COMMIT != "$GITHUB_SHA" ]] || continue
        export COMMIT
        other=$(gh api "$repository/commits/$COMMIT/pulls?per_page=100" --jq \
            '.[] | select(.merged_at != null and .merge_commit_sha == env.COMMIT) | .number')
        [[ -z $other ]] ||
            refuse "this push merged pull request #$other as well as #$NUMBER: a merge queue may merge one at a time; $again"
    done
}

# Runs know their head, and not for which pull request they were.
refuse_other_heads() {
    local others
    others=$(gh api --paginate "$repository/commits/$HEAD_SHA/pulls?per_page=100" --jq \
        '.[] | select(.head.sha == env.HEAD_SHA and (.number | tostring) != env.NUMBER) | "#\(.number)"')
    [[ -z $others ]] ||
        refuse "pull request ${others//$'\n'/, } has the same last commit as #$NUMBER, so their plans can't be told apart; $again"
}

# The runs that may have made the plan: of the plan workflow, on the head, calling what is called here.
find_runs() {
    CALLED=$(gh api "$repository/actions/runs/$GITHUB_RUN_ID" --jq \
        '[.referenced_workflows[]? | "\(.path | sub("@.*"; "") | sub("/extcal-apply.yml$"; "/extcal-plan.yml")) \(.sha)"]
         | sort | join(",")')
    export CALLED
    runs=$(gh api --paginate \
        "$repository/actions/workflows/${INPUT_WORKFLOW##*/}/runs?event=pull_request&head_sha=$HEAD_SHA&per_page=100" --jq \
        '.workflow_runs[] | select(
           .event == "pull_request" and .conclusion == "success" and (.path | sub("@.*"; "")) == env.INPUT_WORKFLOW
           and .head_sha == env.HEAD_SHA and .head_repository.id == .repository.id
           and ([.referenced_workflows[]? | "\(.path | sub("@.*"; "")) \(.sha)"] | sort | join(",")) == env.CALLED
         ) | .id')
}

# The artifact of a run's last attempt that made one before the merge: what was made after it nobody has reviewed.
artifact_of() {
    local names
    names=$(NAME=extcal-plan-$NUMBER-$HEAD_SHA- gh api --paginate "$repository/actions/runs/$1/artifacts?per_page=100" \
        --jq '.artifacts[] | select((.expired | not) and .created_at != null and .created_at <= env.MERGED_AT) | .name
              | select(startswith(env.NAME)) | select(ltrimstr(env.NAME) | test("^[0-9]+$"))')
    sort --version-sort <<<"$names" | tail --lines=1
}

# Refuses what RUN ATTEMPT left in folder $3 unless it says that it is a plan of this pull request.
check_context() {
    local context plan status
    context=$(<"$3/context.json")
    plan=$(sha256_of "$3/plan.json")
    [[ $context =~ \"base_sha\":\ \"([0-9a-f]{40,64})\" ]] || refuse "the plan of run $1 does not say what it is against"
    local base=${BASH_REMATCH[1]}
    [[ $context =~ \"workflow_sha\":\ \"([0-9a-f]{40,64})\" ]] || refuse "the plan of run $1 does not say what made it"
    [[ $context == "$(plan_context "$NUMBER" "$branch" "$base" "$HEAD_SHA" \
        "$GITHUB_REPOSITORY/$INPUT_WORKFLOW@refs/pull/$NUMBER/merge" "${BASH_REMATCH[1]}" "$1" "$2" "$plan")" ]] ||
        refuse "the plan of run $1 was not made for pull request #$NUMBER into $branch; $again"
    status=$(status_since "$base")
    [[ $status == ahead ]] || refuse "the plan of run $1 was made against $base, which is not on $branch; $again"
}

check_attestations() {
    local workflow sha
    read -r workflow sha <<<"$CALLED"
    [[ $sha =~ ^[0-9a-f]{40}$ ]] || refuse "attested plans are those of extcal-plan.yml; call extcal-apply.yml alone"
    # One signature for both files: the context, which was checked, holds the digest of the plan.
    gh attestation verify "$1/context.json" --repo "$GITHUB_REPOSITORY" --signer-workflow "$workflow" \
        --signer-digest "$sha" --source-ref "refs/pull/$NUMBER/merge" --deny-self-hosted-runners ||
        refuse "the plan of pull request #$NUMBER is not attested by $workflow at $sha; $again"
}

# What the file says; extcal refuses a plan that its digest does not fit.
digest_of() {
    local start
    start=$(head --bytes=100 "$1/plan.json")
    [[ $start =~ ^\{\"digest\":\"(sha256:[0-9a-f]{64})\", ]] || refuse "the artifact of pull request #$NUMBER holds no plan"
    echo "${BASH_REMATCH[1]}"
}

digest_in_comment() {
    gh api --paginate "$repository/issues/$NUMBER/comments?per_page=100" --jq \
        '.[] | select(.user.type == "Bot" and (.body | startswith("<!-- extcal-plan -->"))) | .body | split("\n")[]
         | rtrimstr("\r") | capture("^Digest of the plan: \u0060(?<digest>sha256:[0-9a-f]{64})\u0060$").digest'
}

[[ $GITHUB_EVENT_NAME == push ]] ||
    refuse "a plan is applied on the push that merges its pull request, and this event is $GITHUB_EVENT_NAME"
find_pull_request
refuse_other_merges
refuse_other_heads
find_runs
plan="" digest=""
rm -rf "$folder"
mkdir "$folder"
for run in $runs; do
    name=$(artifact_of "$run")
    [[ -n $name ]] || continue
    place=$folder/$run
    gh run download "$run" --repo "$GITHUB_REPOSITORY" --name "$name" --dir "$place"
    for file in plan.json context.json; do
        [[ -f $place/$file && ! -L $place/$file ]] || refuse "the artifact of pull request #$NUMBER holds no $file"
    done
    check_context "$run" "${name##*-}" "$place"
    found=$(digest_of "$place") || { echo "$found"; exit 1; }
    [[ -z $digest || $digest == "$found" ]] ||
        refuse "the last commit of pull request #$NUMBER has plans that differ, $digest and $found; $again"
    plan=$place/plan.json digest=$found
done
[[ -n $plan ]] ||
    refuse "pull request #$NUMBER has no plan of its last commit $HEAD_SHA from before its merge by the extcal used here, \
or it has expired; $again"
shown=$(digest_in_comment)
[[ $shown == "$digest" ]] ||
    refuse "the comment in pull request #$NUMBER shows ${shown:-no plan}, not the plan that was saved, $digest; $again"
[[ $INPUT_ATTESTED == false ]] || check_attestations "${plan%/*}"
{
    echo "plan=$plan"
    echo "digest=$digest"
    echo "pull-request=$NUMBER"
} >>"$GITHUB_OUTPUT"

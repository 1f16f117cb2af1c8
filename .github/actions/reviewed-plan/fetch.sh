#!/usr/bin/env bash
# Fetches the plan of the pull request that this commit is the merge of: the artifact extcal-plan-HEAD, of a run of the
# plan workflow on the head that was merged, and of no other.
set -euo pipefail

repository=repos/$GITHUB_REPOSITORY
folder=$RUNNER_TEMP/extcal-reviewed

refuse() {
    echo "::error title=extcal::$1"
    exit 1
}

merged=$(gh api --paginate "$repository/commits/$GITHUB_SHA/pulls?per_page=100" --jq \
    '.[] | select(.merged_at != null and .merge_commit_sha == env.GITHUB_SHA) | "\(.number) \(.head.sha)"')
[[ -n $merged ]] ||
    refuse "no pull request was merged as $GITHUB_SHA, so no plan was reviewed and nothing is applied"
read -r number HEAD_SHA <<<"$merged"
export HEAD_SHA

runs=$(gh api --paginate "$repository/actions/artifacts?name=extcal-plan-$HEAD_SHA&per_page=100" --jq \
    '.artifacts | sort_by(.created_at) | reverse | .[] | select(.expired | not) | .workflow_run
     | select(.head_sha == env.HEAD_SHA and .head_repository_id == .repository_id) | .id')
for run in $runs; do
    made_by=$(gh api "$repository/actions/runs/$run" --jq '"\(.event) \(.path | sub("@.*"; ""))"')
    [[ $made_by == "pull_request $INPUT_WORKFLOW" ]] || continue
    rm -rf "$folder"
    gh run download "$run" --repo "$GITHUB_REPOSITORY" --name "extcal-plan-$HEAD_SHA" --dir "$folder"
    [[ -s $folder/plan.json ]] || refuse "the plan of pull request #$number holds no plan.json"
    {
        echo "plan=$folder/plan.json"
        echo "pull-request=$number"
    } >>"$GITHUB_OUTPUT"
    exit 0
done
refuse "pull request #$number has no plan of its last commit $HEAD_SHA, or it has expired; nothing is applied"

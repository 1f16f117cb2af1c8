"""Finds the policies that several sites of a pull need, for one file that all of them share."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from reconciler.model.sync import SyncConfig
from reconciler.pull.compare import SiteComparison
from reconciler.pull.folder import Folder
from reconciler.pull.names import Policy, Taken, policy_name, sharable
from reconciler.pull.values import effective

SHARED_FILE = "policies.yaml"
"""The file, at the top of the folder."""

SHARED_NOTE = "Shared by connections of several sites that sync in the same way; each can override it."
"""What is said of each of its policies."""

_SITES = 2

Names = Mapping[SyncConfig, str]
"""Names of policies by what they say."""


def kept_policies(folder: Folder) -> dict[SyncConfig, str]:
    """The policies that the file holds already."""
    declared = {
        one.name.text
        for one in folder.documents.declarations
        if one.kind == "SyncPolicy" and one.name is not None and folder.files[one.root.file].path == SHARED_FILE
    }
    policies = sorted(folder.documents.policies, key=lambda policy: policy.name, reverse=True)
    return {effective(policy.sync): policy.name for policy in policies if policy.name in declared}


def needed_policies(
    comparisons: Sequence[SiteComparison], used: Mapping[str, Names], kept: Names, taken: Taken
) -> list[Policy]:
    """What the new connections of several sites say, and neither the file nor a site's own policies do.

    `used` are the policies of each site, by its name.
    """
    sites: dict[SyncConfig, set[str]] = defaultdict(set)
    for found in comparisons:
        site = found.site.site.name
        for addition in found.additions:
            sync = addition.declared.sync
            if sharable(sync) and sync not in kept and sync not in used[site]:
                sites[sync].add(site)
    shared = sorted((sync for sync, names in sites.items() if len(names) >= _SITES), key=policy_name)
    return [Policy(taken.take(policy_name(sync)), sync) for sync in shared]

"""The manifests as they were, found by the site that they are for."""

from dataclasses import replace

import pytest

from reconciler.model.desired import ApiKeyAuth, AppAuth, DeclaredConnection, Desired, Lifecycle, Site
from reconciler.planning.base_manifests import BaseManifests
from reconciler.planning.protection import still_protected
from tests.support.builders.plans import PASSWORD, PRUNING, SITE, declared, live, planned, site_with

OTHER_ID = "2c5d8f31-9e64-4b7a-8d10-6f3e5a7c9b24"
APP = replace(SITE, auth=AppAuth("app", PASSWORD, "instance"))
LEE = declared()
KIM = declared("kim", account="kim@harbor.example")


def former(*connections: DeclaredConnection, site: Site = SITE, whole: bool = True) -> BaseManifests:
    """A base of one Site."""
    return BaseManifests(Desired((site,), connections), whole=whole)


def test_a_site_is_found_under_the_name_that_it_has_now() -> None:
    """It is as it was but for its name, which its connections bear, too."""
    bay = replace(PRUNING, name="bay", site_id=SITE.site_id)
    site, connections = former(LEE).of(bay)
    assert site == replace(SITE, name="bay")
    assert connections == [replace(LEE, site="bay")]
    assert list(former(LEE).protecting(bay)) == [LEE]
    assert former(LEE).gone([bay]) == []


@pytest.mark.parametrize(
    ("now", "same", "maybe"),
    [
        (replace(APP, site_id=OTHER_ID), True, True),
        (replace(APP, auth=AppAuth("app", PASSWORD, "other")), True, True),
        (replace(APP, site_id=OTHER_ID, auth=AppAuth("app", PASSWORD, "other")), False, False),
        (replace(APP, site_id=OTHER_ID, auth=AppAuth("another", PASSWORD, "other")), False, True),
        (replace(APP, site_id=OTHER_ID, auth=ApiKeyAuth(PASSWORD)), False, True),
    ],
)
def test_a_site_of_an_app_is_where_its_instance_is(now: Site, *, same: bool, maybe: bool) -> None:
    """Whatever siteId is given beside it; what is reached in another way may be the same."""
    base = former(LEE, site=APP)
    assert bool(base.of(now)[1]) is same
    assert bool(list(base.protecting(now))) is maybe
    assert base.gone([now]) == ([] if same else [("harbor", 1)])


def test_siteids_tell_sites_of_keys_apart() -> None:
    """A site that the base does not have is as it is now, without connections, and nothing protects it."""
    now = replace(PRUNING, site_id=OTHER_ID)
    assert former(LEE).of(now) == (now, [])
    assert list(former(LEE).protecting(now)) == []


def test_what_was_read_in_part_prunes_nothing() -> None:
    """What seems undeclared may stand in what was not read."""
    assert former(LEE, site=PRUNING).of(PRUNING)[0] == PRUNING
    assert former(LEE, site=PRUNING, whole=False).of(PRUNING)[0] == SITE


def test_a_connection_whose_site_was_not_read_may_be_of_any() -> None:
    """It is compared with every site; where all was read there is none."""
    lost = replace(KIM, site="lost")
    assert list(former(LEE, lost, whole=False).protecting(SITE)) == [LEE, lost]
    assert list(former(LEE, lost).protecting(SITE)) == [LEE]


def test_two_former_sites_of_one_id_are_one() -> None:
    """Only a base with faults has them; the connections of both are compared."""
    bay = replace(SITE, name="bay")
    base = BaseManifests(Desired((bay, SITE), (LEE, replace(KIM, site="bay"))), whole=False)
    assert base.of(SITE)[0] == SITE
    assert {c.address for c in base.of(SITE)[1]} == {"harbor/lee", "harbor/kim"}
    assert {c.address for c in list(base.protecting(SITE))} == {"harbor/lee", "bay/kim"}


def test_two_sites_made_one_are_none_of_them() -> None:
    """Connections of one name hide each other there, so what the former plan would take away says nothing."""
    lakeside = replace(SITE, name="lakeside", site_id=OTHER_ID)
    both = Desired(
        (APP, lakeside), (replace(LEE, lifecycle=Lifecycle(prevent_disconnect=True)), declared(site="lakeside"))
    )
    base, joined = BaseManifests(both, whole=True), replace(APP, site_id=OTHER_ID)
    assert [base.kept(site) for site in (APP, lakeside, joined)] == [True, True, False]
    assert not former(LEE, site=APP).kept(replace(APP, auth=ApiKeyAuth(PASSWORD)))
    on = site_with(live())
    head = planned(declared("other", account="kim@harbor.example"), on=on, site=replace(PRUNING, max_disconnects=100))
    lost = still_protected(head, None, base.protecting(joined), on, frozenset(), base_is_whole=True)
    assert [violation.guard for violation in lost] == ["prevent-disconnect"]

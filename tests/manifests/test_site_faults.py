"""What a person is told of a Site that breaks a rule: which words, at which place."""

from collections.abc import Callable

import pytest

from tests.support.builders.manifests import SITE, SITE_ID

Faults = Callable[[str], list[str]]

GUID = "must be a GUID, such as 7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b"
SECRET = "a secret must not be written in a manifest"
REFERENCE = "name an environment variable, {env: EXTCAL_…}, or a file, {file: …}"
URL = "must be an https URL, or http on loopback, without a user name or a fragment"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("{scope: site}", ["4:1: missing field 'siteId', at spec (The site's id)"]),
        (
            f"{{siteId: {SITE_ID}, auth: {{}}}}",
            ["4:60: must have exactly one of apiKey, app, at spec.auth"],
        ),
        (
            f"{{siteId: {SITE_ID}, auth: IST.secret}}",
            [f"4:60: {SECRET}, at spec.auth ({REFERENCE}, in its fields)"],
        ),
        (
            f"{{siteId: {SITE_ID}, auth: {{apikey: {{env: EXTCAL_A}}}}}}",
            ["4:61: unknown field 'apikey', at spec.auth.apikey (did you mean apiKey?)"],
        ),
        (
            f"{{siteId: {SITE_ID}, auth: {{app: {{appId: x}}}}}}",
            [
                "4:61: missing field 'appSecret', at spec.auth.app (The app's secret)",
                "4:61: missing field 'instanceId', at spec.auth.app (The id of the app's instance on the site)",
                f"4:74: {GUID}, at spec.auth.app.appId",
            ],
        ),
        (
            "{siteId: x, auth: {apiKey: {env: EXTCAL_A}}, scope: all, prune: no, guards: {maxDisconnects: 25}}",
            [
                f"4:16: {GUID}, at spec.siteId",
                "4:59: unknown value 'all', at spec.scope (allowed: schedules, site)",
                "4:71: must be true or false, not text, at spec.prune (write false)",
                (
                    "4:100: must be text, not a number, at spec.guards.maxDisconnects"
                    " (must be a percentage from 0% to 100%, such as 25%)"
                ),
            ],
        ),
        (
            f"{{siteId: {SITE_ID}, auth: {{apiKey: {{env: EXTCAL_A}}}}, schedules: {{appId: bookings}}}}",
            [f"4:106: {GUID}, at spec.schedules.appId"],
        ),
        (
            f"{{siteId: {SITE_ID}, auth: {{apiKey: {{env: EXTCAL_A}}}}, schedules: {{appid: {SITE_ID}}}}}",
            ["4:99: unknown field 'appid', at spec.schedules.appid (did you mean appId?)"],
        ),
        ("7", ["4:7: must be a mapping, not a number, at spec"]),
    ],
)
def test_faults_of_a_site(faults: Faults, spec: str, expected: list[str]) -> None:
    """Each rule of a Site has its own words, and all faults of one Site come at once, in the order of the text."""
    text = f"apiVersion: extcal/v1\nkind: Site\nmetadata: {{name: s}}\nspec: {spec}\n"
    assert faults(text) == [f"m.yaml:{fault}" for fault in expected]


@pytest.mark.parametrize("percentage", ["101%", "25", "-1%", "2.5%", "1000%", "%"])
def test_percentages_that_are_none(faults: Faults, percentage: str) -> None:
    """A guard's share lies between 0% and 100%."""
    (fault,) = faults(f"{SITE}  guards: {{maxDisconnects: '{percentage}'}}\n")
    assert fault.endswith("must be a percentage from 0% to 100%, such as 25%, at spec.guards.maxDisconnects")


@pytest.mark.parametrize(
    "url",
    [
        "http://harbor-dental.example/",
        "https://user@harbor-dental.example/",
        "https://user:secret@harbor-dental.example/",
        "https://harbor-dental.example\\@evil.example/",
        "https://harbor-dental.example/#x",
        "https://",
        "//harbor-dental.example",
        "javascript:alert(1)",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://localhost@evil.example/",
        "https://a b.example/",
    ],
)
def test_redirects_that_are_refused(faults: Faults, url: str) -> None:
    """An owner's browser is sent to https, or to this machine, and nowhere that only looks so."""
    assert faults(f"{SITE}  oauth: {{redirectUrl: '{url}'}}\n") == [f"m.yaml:7:24: {URL}, at spec.oauth.redirectUrl"]


@pytest.mark.parametrize(
    "url",
    [
        "https://harbor-dental.example",
        "https://harbor-dental.example:8443/a/@b?c=d",
        "http://localhost:8080/done",
        "http://127.0.0.1:1/",
        "http://[::1]/",
    ],
)
def test_redirects_that_are_taken(loaded: Callable[[str], object], url: str) -> None:
    """An https URL may lead anywhere, an http one to this machine."""
    loaded(f"{SITE}  oauth: {{redirectUrl: '{url}'}}\n")

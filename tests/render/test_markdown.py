"""The comment of a pull request: in order, in bounds, and inert against whatever names it shows."""

import re
from dataclasses import replace

import pytest
from hypothesis import example, given

from reconciler.model.action import Action, Impact
from reconciler.model.live import ConnectMethod
from reconciler.model.plan import Plan
from reconciler.render.markdown import code
from reconciler.render.markdown_sections import LIMIT
from reconciler.render.plan_markdown import MARKER, plan_failure_markdown, plan_markdown
from tests.render.hostile import HOSTILE, texts
from tests.support.builders.reports import large, nothing_to_do, renamed, telling
from tests.support.inert import GITHUB, assert_inert_markdown, tokens
from tests.support.profiles import examples


def skeleton(markdown: str) -> list[str]:
    """The kinds of tokens, whatever they say."""
    return [token.type for token in tokens(markdown)]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_text(name: str) -> None:
    """No name becomes an element, a link, a mention or a reference."""
    assert_inert_markdown(plan_markdown(renamed(telling(), [name])))
    assert_inert_markdown(plan_failure_markdown([name]))


@examples(20, profile="tests")
@given(texts.filter(bool))
@example("`" * 90)
@example("a`b``c```d" * 40)
def test_no_name_changes_the_shape(name: str) -> None:
    """Whatever a name holds, the comment has the shape that it has with a plain one."""
    shown = plan_markdown(renamed(telling(), [name]))
    assert_inert_markdown(shown)
    assert skeleton(shown) == skeleton(plan_markdown(renamed(telling(), ["plain"])))


@given(texts)
def test_code_shows_the_text(name: str) -> None:
    """A code span is one code span; GitHub knows no fence of more than 80 backticks."""
    (paragraph,) = [token for token in GITHUB.parse(f"x {code(name)} y") if token.type == "inline"]
    assert [token.type for token in paragraph.children or ()] == ["text", "code_inline", "text"]
    assert len(code(name)) - len(code(name).lstrip("`")) <= 80


def test_what_is_lost_comes_first() -> None:
    """Summary, losses with what brings them back, errors, consents with the owner, then the rest, folded."""
    shown = plan_markdown(telling())
    order = [
        MARKER,
        "### Plan: ",
        "#### Will be disconnected: 3 connections",
        "- **disconnect** `harbor/okafor`",
        "connecting it again needs the account's password",
        "42 busy blocks",
        "- **replace** `harbor/reception`",
        "connecting it again needs its owner's consent",
        "#### Errors",
        "`--allow max-disconnects:harbor`",
        "quay/connections.yaml:12:13",
        "#### Warnings",
        "`quay: no connection is declared",
        "#### Needs its owner's consent: 2 connections",
        "`patel@harbor-dental.example`",
        "<details>",
        "- **connect** `harbor/lee`",
        "drift from before this change",
        "- **update** `harbor/kim`",
        "Digest of the plan: `sha256:",
    ]
    place = 0
    for piece in order:
        place = shown.find(piece, place)
        assert place >= 0, piece
    assert shown.startswith(MARKER + "\n")


def test_a_warning_is_no_error() -> None:
    """Warnings have a heading of their own, and a plan that has nothing worse has no errors."""
    harbor, quay = telling().sites
    shown = plan_markdown(Plan((replace(harbor, violations=()), replace(quay, faults=()))))
    assert "#### Warnings\n\n- `quay: no connection is declared" in shown
    assert "Errors" not in shown


def test_a_guard_that_nobody_may_overrule_names_no_way() -> None:
    """The words that overrule a guard are given only where they would help."""
    harbor, quay = telling().sites
    firm = tuple(replace(violation, overrulable=False) for violation in harbor.violations)
    shown = plan_markdown(Plan((replace(harbor, violations=firm), quay)))
    assert "guard **max-disconnects**" in shown
    assert "--allow" not in shown


def test_an_update_says_what_stops_protecting_the_schedule() -> None:
    """An import that is switched off is no disconnect, and its impact is told all the same."""
    harbor, quay = telling().sites
    actions = tuple(replace(a, impact=Impact(1, 30)) if a.address == "harbor/kim" else a for a in harbor.actions)
    shown = plan_markdown(Plan((replace(harbor, actions=actions), quay)))
    assert "  - 1 busy block in the next 30 days would no longer block the schedule" in shown


def test_a_plan_without_changes_is_short() -> None:
    """With nothing to do there is the summary and the digest."""
    lines = [line for line in plan_markdown(nothing_to_do()).splitlines() if line]
    assert len(lines) == 3
    assert lines[1] == "### Nothing to do: 1 as declared, 0 unmanaged."


def test_where_the_owner_lands_is_not_told() -> None:
    """No address of the web is in a comment: neither a link to consent nor where it leads back to."""
    assert any(
        action.method is ConnectMethod.OAUTH and action.connect and action.connect.redirect_url
        for action in telling().actions
    )
    assert "://" not in plan_markdown(telling())


def _longer(action: Action) -> Action:
    return replace(action, schedule_name="שעון 漢字 " * 60)


@pytest.mark.parametrize(
    ("sites", "each", "limit"),
    [
        (3, 1_000, LIMIT),
        (100, 6, 20_000),
        *(
            pytest.param(*size, limit, marks=pytest.mark.soak)
            for size in ((3, 4_000), (1_000, 6))
            for limit in (LIMIT, 20_000)
        ),
    ],
)
def test_a_large_plan_is_cut_with_a_count(sites: int, each: int, limit: int) -> None:
    """Under the limit however large, whole entries only, and every entry is there or counted."""
    plan, _ = large(sites, each)
    plan = Plan(tuple(replace(s, actions=tuple(map(_longer, s.actions))) for s in plan.sites))
    shown = plan_markdown(plan, limit=limit)
    assert len(shown.encode()) <= limit
    assert len(shown.encode()) > limit // 2
    for heading, rest, wanted in (
        ("disconnect", "to be disconnected", sum(a.kind.disconnects for a in plan.actions)),
        ("connect", "that need consent|changes", sum(a.kind.writes and not a.kind.disconnects for a in plan.actions)),
    ):
        kept = len(re.findall(rf"^- \*\*{heading}\*\*", shown, re.MULTILINE))
        cut = [int(n.replace(",", "")) for n in re.findall(rf"… and ([\d,]+) more (?:{rest});", shown)]
        assert kept > 0
        assert kept + sum(cut) == wanted
    assert shown.count("<details>") == shown.count("</details>")
    assert "the whole plan is in the JSON artifact" in shown
    assert_inert_markdown(shown)

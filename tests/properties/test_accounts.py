"""Accounts: comparing them is an equivalence of case and of a domain's forms; showing them hides nothing."""

import string
import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.model.account import Account, lookalikes, shown
from reconciler.text import escaped

_PLAIN = "aZ.-_ +1@\u3002\u200d\ud800\uff45"
_CASES = "\u00df\u1e9e\u0130\u0131\u212a\u03a3\u03c3\u03c2\u01f0\u030c\ufb01\u0430\u0435\u00e9\u0301"
texts = st.text(st.sampled_from(_PLAIN + _CASES) | st.characters(exclude_categories=["Cc"]), max_size=40)
domains = st.text(st.sampled_from("ab\u00e4\u00df\u0430\u6771-1."), min_size=1, max_size=20)
accounts = texts | st.builds("{}@{}".format, texts, domains)
ascii_accounts = st.text(st.sampled_from(string.printable), max_size=60)


@given(accounts)
@example("J\u030c@x")
@example("lee@\u0130.example")
@example("lee@XN--.\u00e4")
def test_the_form_that_is_compared_is_its_own(account: str) -> None:
    """Normalising twice is normalising once, so an account equals the form by which it is compared."""
    found = Account(account)
    assert Account(found.normal) == found
    assert hash(Account(found.normal)) == hash(found)


@given(ascii_accounts)
def test_in_ascii_it_is_case_alone(account: str) -> None:
    """What is ASCII is compared without its case, and shown as it is, with nothing to say about it."""
    assert Account(account).normal == account.strip().casefold()
    assert shown(account, account) == account
    assert not list(lookalikes(account))


@given(texts, texts)
@example("stra\u00dfe", "strasse")
@example("\ufb01", "fi")
@example("\u03c3", "\u03c2")
@example("\u212a", "k")
def test_local_parts_compare_by_case_alone(one: str, other: str) -> None:
    """Two are the same where Unicode holds them to be the same text in lower case, and nowhere else."""

    def in_lower_case(text: str) -> str:
        return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.lstrip()).lower())

    same = in_lower_case(one) == in_lower_case(other)
    assert (Account(f"{one}@harbor.example") == Account(f"{other}@harbor.example")) == same


@given(st.text(st.sampled_from("abz09"), max_size=8), domains)
def test_a_domain_is_the_same_in_both_forms(local: str, domain: str) -> None:
    """The form that is shown beside a domain is the same account."""
    account = f"{local}@{domain}"
    if not account.isascii() and Account(account).normal.isascii():
        plain = shown(account).rpartition("(")[2].removesuffix(")").rpartition("@")[2]
        assert Account(f"{local}@{plain}") == Account(account)


@given(accounts)
def test_what_is_shown_tells_accounts_apart(account: str) -> None:
    """What is not ASCII has a form beside it that is, and that no other spelling shares."""
    text = shown(account, "")
    if not account.isascii():
        plain = text.removeprefix(account)
        assert plain.isascii()
        assert plain


@given(accounts, accounts)
def test_what_looks_alike_in_ascii_is_compared_alike(one: str, other: str) -> None:
    """Where the forms beside two addresses agree, so does what they are compared by."""
    if not one.isascii() and not other.isascii() and shown(one).removeprefix(one) == shown(other).removeprefix(other):
        local_one, local_other = one.rpartition("@")[0], other.rpartition("@")[0]
        if not (local_one.isascii() and local_other.isascii()):
            assert Account(one) == Account(other)


@given(accounts)
def test_remarks_are_about_what_is_there(account: str) -> None:
    """Each remark quotes a part of the address; where letters are never drawn, as their escapes."""
    for remark in lookalikes(account):
        quoted = remark.rpartition("'")[0].removeprefix("'")
        assert quoted in account or quoted == escaped(account)

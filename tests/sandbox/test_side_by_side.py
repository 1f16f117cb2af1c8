"""Work for several providers at the same time."""

from __future__ import annotations

import threading
from functools import partial

from reconciler.sandbox.calendars.errors import CalendarError, NoAnswerError, UnreachableError
from reconciler.sandbox.provider_tasks import Task, run_tasks

_PATIENCE = 60.0


def fail(error: CalendarError) -> str:
    """Raise it."""
    raise error


def test_providers_are_worked_for_at_the_same_time() -> None:
    """Each waits until all have begun; the outcomes are in the order of the tasks."""
    met = threading.Barrier(6)

    def meet(name: str) -> str:
        met.wait(_PATIENCE)
        return name

    tasks = [Task(name[0], 2, partial(meet, name)) for name in ("a1", "b1", "a2", "c1", "c2", "b2")]
    assert run_tasks(tasks, until=CalendarError) == ["a1", "b1", "a2", "c1", "c2", "b2"]


def test_a_provider_is_asked_for_a_few_accounts_at_a_time() -> None:
    """Never for more than it may be."""
    lock, at_work, most = threading.Lock(), 0, 0
    pairs = threading.Barrier(2)

    def work() -> None:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        pairs.wait(_PATIENCE)
        with lock:
            at_work -= 1

    run_tasks([Task("a", 2, work)] * 10, until=CalendarError)
    assert most == 2


def test_one_that_is_cheap_is_worked_for_here() -> None:
    """No thread is made for one provider's accounts one after the other."""
    assert run_tasks([Task("a", 1, threading.get_ident)] * 3, until=CalendarError) == [threading.get_ident()] * 3
    assert run_tasks([], until=CalendarError) == []


def test_after_an_error_nothing_more_is_asked_of_a_provider() -> None:
    """Its later tasks come to the same, even one that was done first; others are not concerned."""
    down = NoAnswerError("down")
    done = threading.Event()
    begun: list[int] = []

    def fail_late() -> str:
        assert done.wait(_PATIENCE)
        return fail(down)

    def finish() -> str:
        done.set()
        return "done"

    def begin(number: int) -> str:
        begun.append(number)
        return fail(down)

    tasks = [Task("a", 2, fail_late), Task("a", 2, finish), Task("b", 1, lambda: "b")]
    assert run_tasks(tasks, until=UnreachableError) == [down, down, "b"]
    assert run_tasks([Task("a", 1, partial(begin, n)) for n in range(3)], until=UnreachableError) == [down] * 3
    assert begun == [0]


def test_other_errors_end_their_own_task_alone() -> None:
    """What is wrong with one account says nothing about the next."""
    wrong = UnreachableError("wrong")
    tasks = [Task("a", 1, partial(fail, wrong)), Task("a", 1, lambda: "fine")]
    assert run_tasks(tasks, until=NoAnswerError) == [wrong, "fine"]

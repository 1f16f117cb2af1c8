"""A site of the sandbox, its schedules and providers, and what is declared for it."""

from reconciler.model.desired import ScheduleKey, ScheduleRef
from tests.support.builders.plans import (
    OTHER_SCHEDULE,
)

APPLE = "a0a0a0a0-0000-4000-8000-00000000000a"
GOOGLE = "a0a0a0a0-0000-4000-8000-00000000000b"
LEE, KIM = "lee@harbor.example", "kim@harbor.example"
ELSEWHERE = ScheduleRef(ScheduleKey.ID, OTHER_SCHEDULE)

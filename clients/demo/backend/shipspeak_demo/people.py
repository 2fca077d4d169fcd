"""The people of the reference product. It knows no passwords: one chooses who one is."""

from __future__ import annotations

from dataclasses import dataclass

TEAM_TOPIC = "group/team"
"""Where everybody who has the product open is seen."""


@dataclass(frozen=True, slots=True)
class Person:
    """One who may sign in; ``desk`` says whether announcements to all are theirs to make."""

    id: str
    name: str
    role: str
    desk: bool = False


PEOPLE: tuple[Person, ...] = (
    Person("ada", "Ada Moreno", "Product lead", desk=True),
    Person("ben", "Ben Okafor", "Sales"),
    Person("chloe", "Chloe Laurent", "Engineering"),
    Person("dev", "Dev Anand", "Customer success"),
)
_BY_ID = {person.id: person for person in PEOPLE}


def person_of(user: str) -> Person:
    """Find a person; whoever has a token and is not in the list is a guest of that name."""
    return _BY_ID.get(user) or Person(user, user, "Guest")

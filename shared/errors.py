"""The base of every exception that this service defines."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

T = TypeVar("T")


class ServiceError(Exception):
    """An error that is complete once it is made: no attribute is set a second time.

    An error may be shared between threads and raised again. A subclass sets its attributes in its
    constructor, declared as Final, or is an `error_record`. Names that begin with two underscores
    are Python's own (traceback, cause, notes) and stay free.
    """

    if not TYPE_CHECKING:  # mypy would let any attribute be set

        def __setattr__(self, name: str, value: Any) -> None:
            if name in vars(self) and not name.startswith("__"):
                raise AttributeError(f"{type(self).__name__}.{name} can't be changed")
            super().__setattr__(name, value)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Exceptions are pickled and copied by their `args`, which constructors may not accept."""
        return _restore, (type(self), self.args, dict(vars(self)))


def _restore(made: type[ServiceError], args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    error = made.__new__(made, *args)
    vars(error).update(state)
    return error


@dataclass_transform(frozen_default=True, eq_default=False)
def error_record(cls: type[T]) -> type[T]:
    """A ServiceError with the constructor of a dataclass. Two errors are never equal.

    mypy takes it for frozen. A frozen dataclass would refuse the traceback that Python sets.
    """
    return dataclass(eq=False)(cls)

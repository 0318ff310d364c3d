"""`cached_property` for objects that threads do not share."""

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # mypy knows how functools' works
    from functools import cached_property as cached_property
else:

    class cached_property(functools.cached_property):  # noqa: N801  as functools'
        """functools.cached_property without its lock. Before Python 3.12 all instances of a class
        share that lock, so the threads of a server would wait for one another."""

        def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:
            if instance is None:
                return self
            value = instance.__dict__[self.attrname] = self.func(instance)
            return value

"""Reports with a row for each population, found by its name."""

from collections.abc import Iterator
from typing import Any


class Rows:
    """Base of reports whose `populations` are rows with a `name`.

    `report["E"]` is a row, `"E" in report` works, and iteration gives the names, as with a dict.
    """

    populations: Any

    def __getitem__(self, name: str) -> Any:
        for row in self.populations:
            if row.name == name:
                return row
        raise KeyError(f"there is no population {name!r}; there are {', '.join(self) or 'none'}.")

    def __contains__(self, name: object) -> bool:
        return any(row.name == name for row in self.populations)

    def __iter__(self) -> Iterator[str]:
        return (row.name for row in self.populations)

    def __len__(self) -> int:
        return len(self.populations)

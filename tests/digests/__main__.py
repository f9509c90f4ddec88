"""Compare with, or write, tests/data/digests.json: see the package."""

import argparse
import time

import numpy as np

from . import CASES, compare, key, read, results, write
from .registry import entry


def _show(name, values):
    """Print the numbers and texts of a case."""
    print(f"== {name}")
    for value, content in values.items():
        with np.printoptions(threshold=20, precision=6):
            print(f"-- {value}\n{content}" if isinstance(content, str) else f"{value}: {content}")


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.digests", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the file")
    parser.add_argument("--show", metavar="NAME", help="print the cases with NAME in their name")
    options = parser.parse_args()
    if options.show:
        for name in CASES:
            if options.show in name:
                _show(name, results(name))
        return 0
    stored_key, filed = ({}, {}) if options.write else read()
    written, differences, begin = {}, [], time.perf_counter()
    for name in CASES:
        start = time.perf_counter()
        values = results(name)
        written[name] = {value: entry(content) for value, content in values.items()}
        if not options.write:
            found = compare(name, values, filed.get(name), stored_key == key())
            differences += found
            print(*found, sep="\n", end="\n" if found else "")
        else:
            print(f"{name}: {len(values)} values, {time.perf_counter() - start:.2f} s")
    if options.write:
        write(written)
    what = "digests" if options.write or stored_key == key() else "summaries (another machine)"
    total = sum(map(len, written.values()))
    print(
        f"{len(CASES)} cases, {total} {what}, {len(differences)} differences, "
        f"{time.perf_counter() - begin:.1f} s"
    )
    return 1 if differences else 0


if __name__ == "__main__":
    raise SystemExit(main())

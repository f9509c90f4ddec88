"""Print the matrix of capabilities, or make it anew: `python -m tests.capabilities --write`."""

import argparse
import time

from biosnn.engine import chunks

from .cells import CELLS, made
from .page import key, read, text_of, write


def main():
    """Make the cells that are asked for, and show what changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the results and the page")
    parser.add_argument("--use", action="append", help="only this use; may be repeated")
    parser.add_argument("--feature", help="only features with this in their name")
    given = parser.parse_args()
    if not (given.write or given.use or given.feature):
        print(text_of(read()))
        return
    chunks._LEAST_WORK = 0  # as tests do: sums over several chunks of trials
    done = {}
    for feature, use in CELLS:
        wanted = not given.use or use in given.use
        if wanted and (given.feature or "") in key(feature):
            done[key(feature), use] = _shown(feature, use)
    if given.write:
        write(_together(done))


def _together(done):
    """Results that were known, with those that were made now, in the order of the table."""
    known, results = read(), {}
    for feature, use in CELLS:
        name = key(feature)
        found = done.get((name, use), known.get(name, {}).get(use))
        if found is not None:
            results.setdefault(name, {})[use] = found
    return results


def _shown(feature, use):
    """The result of a cell, printed; None where the check fails."""
    begin = time.perf_counter()
    try:
        result = made(feature, use)
        words = result.get("refused", "works")
    except Exception as error:  # a fault: it is shown, and the cell stays empty
        result, words = None, f"FAULT {error!r}"
    seconds = time.perf_counter() - begin
    print(
        f"{use:11s} {key(feature):60s} {seconds:5.1f} s  {' '.join(words.split())[:200]}",
        flush=True,
    )
    return result


if __name__ == "__main__":
    main()

"""A small campaign of random calls, and that no public name is missing from it.

The large one: python -m tests.fuzz.calls
"""

import inspect
import types
from collections import Counter

import pytest

import biosnn as bs
from tests.fuzz import calls, registry

#: Share of calls that may end in words of others.
MOST_FOREIGN = 0.01

#: What training and networks call on descriptions that they have checked, with their own arrays.
PROTOCOL = {
    "apply",
    "applies_to",
    "as_dict",
    "as_target",
    "assess",
    "between",
    "build",
    "build_between",
    "check",
    "factor",
    "for_step",
    "of_logits",
    "per_step",
    "reduce",
    "spread",
    "start",
    "step",
    "total_weight",
    "run",
    "figure",
    "draw",
    "density",
    "derivative",
    "twin",
    "probability",
    "value_and_gradient",
    "predict",
    "score",
}


def _names():
    """Public functions and classes, such as "stats.isi_cv", and methods that are no protocol."""
    modules = {f"{name}.": getattr(bs, name) for name in bs.__all__}
    modules = {name: each for name, each in modules.items() if isinstance(each, types.ModuleType)}
    for prefix, module in {"": bs, **modules}.items():
        for name in module.__all__:
            thing = getattr(module, name)
            if isinstance(thing, types.ModuleType) or not callable(thing):
                continue
            yield prefix + name
            for method, function in vars(thing).items() if inspect.isclass(thing) else ():
                if (
                    not method.startswith("_")
                    and isinstance(function, (types.FunctionType, classmethod, staticmethod))
                    and method not in PROTOCOL
                ):
                    yield f"{prefix}{name}.{method}"


def test_every_public_name_is_called():
    names = set(_names())
    known = {name.split(" ")[0] for name in registry.CALLS | registry.CALLS_OF_BRIAN2}
    assert sorted(names - known - set(registry.LEFT_OUT)) == []
    assert sorted(set(registry.LEFT_OUT) - names) == []
    methods = {name.rpartition(".")[2] for name in known}
    assert {
        "draw",
        "density",
        "derivative",
        "twin",
        "probability",
        "value_and_gradient",
        "predict",
        "score",
    } <= methods  # of one class each


@pytest.mark.slow
def test_random_calls_end_in_words_of_ours():
    found = list(calls.campaign(calls.random_cases(700, seed=1)))
    kinds = Counter(outcome["outcome"] for _, outcome in found)
    assert kinds["fine"] > 20 and kinds["ours"] > 400
    worst = [(case, outcome) for case, outcome in found if outcome["outcome"] != "foreign"]
    assert calls.offenders(worst) == []  # no crash, no hang, no NaN, nothing right refused
    assert kinds["foreign"] <= MOST_FOREIGN * len(found), "\n".join(calls.offenders(found))

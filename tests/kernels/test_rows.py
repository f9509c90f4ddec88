"""Rows of tables are the same to compiled kernels and to the same lines in plain Python."""

import numpy as np
import pytest

from biosnn.kernels import arrays

TABLES = {name: each for name, each in vars(arrays).items() if isinstance(each, np.dtype)}


@pytest.mark.parametrize("name", TABLES)
def test_no_attribute_of_numpy_hides_a_field(name):
    """In Python, `row.size` of a numpy record is 1, whatever the field says."""
    assert len(TABLES) > 8 and not set(TABLES[name].names or ()) & set(dir(np.record))

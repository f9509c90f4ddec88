"""The PyTorch peer does the same work: its gradients are biosnn's."""
import argparse

import numpy as np
import pytest

import biosnn as bs
from validation import speed


def test_size_syntax():
    assert speed.parse_size("128+32@400") == (128, 32, 400)
    for wrong in ("128", "a+b@3", "1+2", "0+1@2"):
        with pytest.raises(argparse.ArgumentTypeError, match="n_exc"):
            speed.parse_size(wrong)


def test_gradients_equal_those_of_pytorch():
    pytest.importorskip("torch")
    data = bs.data.poisson(9.1, 700, 0.2, 6, seed=0, labels=np.arange(6) % 10)
    net = speed.build((24, 8, 6), data, np.float64)
    assert speed.compare_gradients(net, data) < 1e-10

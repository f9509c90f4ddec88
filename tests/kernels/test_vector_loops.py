"""Vector units: each loop beside its plain version, and surrogates beside their twins."""

import numba
import numpy as np
import pytest

from biosnn.engine.buffers import panels_of
from biosnn.engine.rows import table
from biosnn.kernels import arrays, simd
from biosnn.kernels import dense as dense_kernels
from tests.kernels.circuit import (
    SURROGATES,
)


@pytest.mark.parametrize("surrogate", SURROGATES, ids=lambda s: type(s).__name__)
def test_twin_is_the_antiderivative(surrogate):
    x = np.array([-2.0, -0.9, -0.3, -0.01, 0.02, 0.4, 1.1])
    slope = (surrogate.twin(x + 1e-6) - surrogate.twin(x - 1e-6)) / 2e-6
    np.testing.assert_allclose(slope, surrogate.derivative(x), atol=1e-8)
    assert surrogate.twin(np.array(-1e9)) == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize(
    "n_pre, n_post, trials", [(7, 5, 8), (13, 9, 3), (16, 70, 24), (5, 64, 6), (40, 1, 11)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pulls_are_matrix_products(n_pre, n_post, trials, dtype):
    rng = np.random.default_rng(0)
    w, states = rng.normal(size=(n_pre, n_post)).astype(dtype), np.zeros((24, n_post + 3), dtype)
    states[:trials] = rng.normal(size=(trials, n_post + 3))
    listed = np.flatnonzero(np.arange(n_pre) % 3)
    near = arrays.Events(
        np.tile([0, listed.size], (trials, 1)), listed.astype(np.int32), np.empty(0, dtype)
    )
    expected = 1 - states[:trials, 2 : 2 + n_post] @ w.T
    tolerance = 1e-4 if dtype == np.float32 else 1e-12
    dense, compact = (np.ones((24, n_pre + 18), dtype) for _ in range(2))
    panels = np.concatenate([panel.ravel() for panel in panels_of(w)])
    wire = table(arrays.WIRE, [{"n_pre": n_pre, "n_post": n_post, "adjoint": 2}])[0]
    dense_kernels.pull_dense(wire, panels, dtype(-1), trials, states, dense, 1)
    np.testing.assert_allclose(dense[:trials, 1 : 1 + n_pre], expected, atol=tolerance)
    assert np.all(dense[:, 0] == 1) and np.all(dense[:, 1 + n_pre :] == 1)
    dense_kernels.pull_near(wire, w.ravel(), dtype(-1), trials, states, near, 0, 0, compact, 1)
    np.testing.assert_allclose(
        compact[:trials, 1 : 1 + n_pre],
        np.where(np.isin(np.arange(n_pre), listed), expected, 1),
        atol=tolerance,
    )


@pytest.mark.parametrize("share", [0.2, 0.5, 0.6, 1.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_of_rows_and_their_plain_version(dtype, share):
    """At most half a span of columns: half of one is added, else a whole one."""

    @numba.njit
    def sums(rows, offset, stride, size, index, first, last, out, at):
        simd.sum_rows(rows, offset, stride, size, index, first, last, out, at)

    span = simd.SPAN_BYTES // np.dtype(dtype).itemsize
    size = int(share * span)
    written = span if share > 0.5 else span // 2
    stride = span + 6
    rows = np.random.default_rng(0).normal(size=20 * stride).astype(dtype)
    index = np.array([3, 0, 17, 17, 4], np.int32)
    for first, last in ((0, 5), (1, 4), (2, 2)):
        ours, plain = np.full(span + 2, 7, dtype), np.full(span + 2, 7, dtype)
        sums(rows, 5, stride, size, index, first, last, ours, 1)
        simd._sum_rows_python(rows, 5, stride, size, index, first, last, plain, 1)
        expected = rows.reshape(20, stride)[index[first:last], 5 : 5 + written].sum(axis=0)
        np.testing.assert_array_equal(ours, plain)
        np.testing.assert_allclose(ours[1 : 1 + written], expected, rtol=1e-5, atol=1e-6)
        assert ours[0] == 7 and np.all(ours[1 + written :] == 7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exponential_for_vector_units(dtype):
    """To 2 units in the last place over the range, 1 at 0, NaN stays, and the ends of the range
    beyond it.
    """

    @numba.njit
    def exponential(x, out):
        for i in range(x.size):
            out[i] = simd.exp(x[i])

    low, high = (-87, 88) if dtype == np.float32 else (-708, 709)
    x = np.concatenate(
        [np.random.default_rng(0).uniform(low, high, 10000), np.linspace(-1, 1, 1001)]
    ).astype(dtype)
    found, extreme = np.empty_like(x), np.empty(5, dtype)
    exponential(x, found)
    exact = np.exp(x.astype(np.longdouble))
    assert np.max(np.abs(found / exact - 1)) < 2 * np.finfo(dtype).eps
    exponential(np.array([0, -0.0, np.nan, -np.inf, np.inf], dtype), extreme)
    assert extreme[0] == extreme[1] == 1 and np.isnan(extreme[2])
    np.testing.assert_allclose(
        extreme[3:], np.exp(np.array([low, high], np.float64)), rtol=4 * np.finfo(dtype).eps
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_vector_intrinsics_and_their_plain_versions(dtype):
    rng = np.random.default_rng(1)
    x = rng.normal(size=2 + simd.LANES).astype(dtype)
    x[3:6] = -np.inf, np.nan, np.inf

    @numba.njit
    def bits(x, bound):
        return simd.at_least(x, 2, bound), simd.lowest_bit(simd.at_least(x, 2, bound))

    found, lowest = bits(x, dtype(0.3))
    part = x[2 : 2 + simd.LANES]
    assert (
        found
        == sum(1 << int(k) for k in np.flatnonzero(part >= 0.3))
        == simd._at_least_python(x, 2, 0.3)
    )
    assert lowest == np.flatnonzero(part >= 0.3)[0] == simd._lowest_bit_python(found)
    n, width = 5, simd.BLOCK_BYTES // np.dtype(dtype).itemsize
    a = rng.normal(size=(8, 9)).astype(dtype)
    b = rng.normal(size=n * width).astype(dtype)
    plain = np.ones((8, width + 3), dtype)
    simd._multiply_block_python(a, 1, 2, n, b, 0, dtype(2), plain, 3)
    np.testing.assert_allclose(
        plain[1 : 1 + simd.BLOCK_ROWS, 3:],
        1 + 2 * a[1 : 1 + simd.BLOCK_ROWS, 2 : 2 + n] @ b.reshape(n, width),
        rtol=1e-4,
    )
    assert np.all(plain[0] == 1) and np.all(plain[:, :3] == 1)

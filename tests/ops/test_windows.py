"""Windows against a walk over every position: how many fit, and which positions their taps meet."""

from itertools import product

import numpy as np
import pytest

from sknn.ops.windows import Windows, make_transposed_windows, make_windows, per_axis

PADDINGS = ("same", "valid", 0, 1, 2, 5)
ONE_AXIS = list(product(range(1, 9), (1, 2, 3, 5), (1, 2, 3), PADDINGS, (1, 2)))  # size, kernel, stride, padding, ...

SEVERAL_AXES = [
    ((5, 4), (3, 2), (1, 2), "same", (1, 2)),
    ((5, 4), (3, 2), (2, 1), (0, 3), (2, 1)),
    ((3, 4, 2), (2, 3, 1), (1, 3, 2), "same", 1),
    ((3, 4, 2), 2, 1, "valid", 1),
]


def fitting(size: int, kernel: int, stride: int, padding: str | int, dilation: int) -> bool:
    around = 0 if padding == "valid" else padding
    return padding == "same" or size + 2 * around >= dilation * (kernel - 1) + 1


def described() -> list[Windows]:
    along_one = [make_windows((size,), *others) for size, *others in ONE_AXIS if fitting(size, *others)]
    return along_one + [make_windows(size, *others) for size, *others in SEVERAL_AXES]


def met(windows: Windows) -> set[tuple]:
    """Every (tap, window, position) with the position on the grid, one by one."""
    found = set()
    for tap in product(*map(range, windows.kernel)):
        for window in product(*map(range, windows.output)):
            parts = zip(window, windows.stride, tap, windows.dilation, windows.low, strict=True)
            position = tuple(w * s + t * d - low for w, s, t, d, low in parts)
            if all(0 <= p < n for p, n in zip(position, windows.size, strict=True)):
                found.add((tap, window, position))
    return found


def listed(windows: Windows) -> list[tuple]:
    """The same from the slices of `taps`, read as NumPy reads them."""
    found = []
    for tap, (seen, positions) in zip(product(*map(range, windows.kernel)), windows.taps, strict=True):
        pairs = [
            list(zip(np.arange(o)[one].tolist(), np.arange(n)[other].tolist(), strict=True))
            for o, n, one, other in zip(windows.output, windows.size, seen, positions, strict=True)
        ]
        found += [(tap, *zip(*chosen, strict=True)) for chosen in product(*pairs)]
    return found


@pytest.mark.parametrize("padding", [0, 1, 2, 5])
def test_output_size_with_a_number_as_padding(padding):
    for size, kernel, stride, dilation in product(range(1, 12), (1, 2, 3, 5), (1, 2, 3), (1, 2, 3)):
        span = dilation * (kernel - 1) + 1
        if fitting(size, kernel, stride, padding, dilation):
            windows = make_windows((size,), kernel, stride, padding, dilation)
            assert windows.span == (span,)
            assert windows.output == ((size - span + 2 * padding) // stride + 1,)


def test_valid_is_no_padding():
    assert make_windows((7, 5), 3, 2, "valid") == make_windows((7, 5), 3, 2, 0)
    assert make_windows((7, 5), 3, 2, "valid").output == (3, 2)


def test_same_gives_as_many_windows_as_strides_begin():
    for size, kernel, stride, dilation in product(range(1, 12), (1, 2, 3, 4, 5, 8), (1, 2, 3, 7), (1, 2, 3)):
        windows = make_windows((size,), kernel, stride, "same", dilation)
        assert windows.output == (-(-size // stride),)
        assert windows.high[0] - windows.low[0] in (0, 1)  # the odd one at the end


def test_same_pads_no_more_than_it_must():
    assert make_windows((6,), 2, 2, "same").low == make_windows((6,), 2, 2, "same").high == (0,)
    assert (make_windows((7,), 2, 2, "same").low, make_windows((7,), 2, 2, "same").high) == ((0,), (1,))
    assert make_windows((9,), 1, 3, "same").high == (0,)


def test_numbers_hold_for_all_axes():
    each = make_windows((9, 8, 7), (2, 2, 2), (3, 3, 3), (1, 1, 1), (2, 2, 2))
    assert make_windows((9, 8, 7), 2, 3, 1, 2) == each
    assert make_windows((9, 8, 7), np.int64(2), np.array([3, 3, 3]), [1, 1, 1], np.int32(2)) == each


def test_taps_are_every_meeting_of_a_window_with_the_grid():
    for windows in described():
        found = listed(windows)
        assert len(found) == len(set(found))
        assert set(found) == met(windows)


def test_both_slices_of_a_tap_are_of_one_size_and_the_windows_lie_among_the_outputs():
    for windows in described():
        for seen, positions in windows.taps:
            for one, other in zip(seen, positions, strict=True):
                assert 0 <= one.start <= one.stop
                assert 0 <= other.start <= other.stop
                assert one.stop - one.start == len(range(other.start, other.stop, other.step))


def picked(names: list[list[int]], places: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(along[place] for along, place in zip(names, places, strict=True))


def test_phases_lead_from_the_outputs_back_to_the_grid():
    """A position of the grid meets a window exactly where the turned tap of its phase's windows meets it there."""
    for windows in described():
        found = []
        for positions, taps, back in windows.phases:
            on_grid = [np.arange(n)[some].tolist() for n, some in zip(windows.size, positions, strict=True)]
            turned = [np.arange(k)[some][::-1].tolist() for k, some in zip(windows.kernel, taps, strict=True)]
            assert back.size == windows.output
            assert back.stride == (1,) * windows.n_axes
            assert back.output == tuple(map(len, on_grid))
            for tap, window, output in met(back):
                found.append((picked(turned, tap), output, picked(on_grid, window)))
        assert len(found) == len(set(found))
        assert set(found) == met(windows)


@pytest.mark.parametrize("padding", PADDINGS)
def test_transposed_windows_are_as_many_as_the_input_has_positions(padding):
    for n, kernel, stride, dilation in product(range(1, 6), (1, 2, 3, 5), (1, 2, 3), (1, 2)):
        around = 0 if padding in ("same", "valid") else padding
        last = n * stride if padding == "same" else (n - 1) * stride + dilation * (kernel - 1) - 2 * around + stride
        fitting = range(last - stride + 1, last + 1)  # all sizes over which as many windows fit
        if fitting[0] < 1:
            continue
        options = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
        windows = make_transposed_windows((n,), **options)
        assert windows.size == (fitting[-1] if padding == "same" else fitting[0],)
        assert windows == make_windows(windows.size, **options)
        for size in range(max(1, fitting[0] - 1), fitting[-1] + 2):
            if size in fitting:
                assert make_transposed_windows((n,), **options, size=size).output == (n,)
            else:
                with pytest.raises(ValueError, match=r"choose a size of which|is too small"):
                    make_transposed_windows((n,), **options, size=size)


@pytest.mark.parametrize(
    ("size", "options", "message"),
    [
        ((8,), {"kernel": 0}, r"kernel_size=0 must be an integer of at least 1"),
        ((8,), {"kernel": 2.5}, r"kernel_size=2\.5 must be an integer"),
        ((8,), {"kernel": None}, r"kernel_size=None must be an integer"),
        ((8,), {"kernel": "ab"}, r"kernel_size='ab' must be an integer"),
        ((8, 8), {"kernel": (3,)}, r"kernel_size=\(3,\) .* one for each of 2 axes"),
        ((8, 8), {"kernel": (3, 2.5)}, r"kernel_size=\(3, 2\.5\) must be an integer"),
        ((8,), {"kernel": (3, 3)}, r"kernel_size=\(3, 3\) .* one for each of 1 axes"),
        ((8,), {"kernel": 3, "stride": 0}, r"stride=0 must be an integer of at least 1"),
        ((8, 8), {"kernel": 3, "stride": (1, -1)}, r"stride=\(1, -1\) must"),
        ((8,), {"kernel": 3, "dilation": 0}, r"dilation=0 must be an integer of at least 1"),
        ((8,), {"kernel": 3, "padding": -1}, r"padding=-1 must be an integer of at least 0"),
        ((8, 8), {"kernel": 3, "padding": (1, 1, 1)}, r"padding=\(1, 1, 1\) .* one for each of 2 axes"),
        ((8,), {"kernel": 3, "padding": "full"}, r"padding='full' must be 'same', 'valid', an integer"),
        ((4,), {"kernel": 5}, r"size \(4,\) is too small for windows that span \(5,\) .* padding='same'"),
        ((8, 4), {"kernel": 3, "dilation": 2}, r"size \(8, 4\) is too small for windows that span \(5, 5\)"),
        ((4,), {"kernel": 7, "padding": 1}, r"too small for windows that span \(7,\) with padding \(1,\)"),
    ],
)
def test_errors_name_what_is_wrong(size, options, message):
    with pytest.raises(ValueError, match=message):
        make_windows(size, **options)


def test_per_axis_gives_python_integers():
    for value in (2, np.int64(2), (2, 2), np.array([2, 2])):
        found = per_axis("stride", value, 2, least=1)
        assert found == (2, 2)
        assert {type(each) for each in found} == {int}


def test_padding_that_leaves_nothing_of_a_transposed_convolution():
    with pytest.raises(ValueError, match=r"padding=\(2,\) cuts off all .* of a grid of size \(2,\)"):
        make_transposed_windows((2,), 3, 1, 2)

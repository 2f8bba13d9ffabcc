import pytest

from nicelab.formatting import estimate, number
from nicelab.statistics import Estimate


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (2001.937, 4.871, "2001.9 ± 4.9"),
        (2.332e-6, 1.66e-7, "(2.33 ± 0.17)×10⁻⁶"),
        (-0.0008, 0.0015, "−0.0008 ± 0.0015"),
        (0.0704766408, 0.0, "0.0704766"),
    ],
)
def test_two_digits_of_the_error(value: float, error: float, text: str) -> None:
    assert estimate(Estimate(value, error, 10)) == text


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (2.3884e-6, ".3e", "2.388×10⁻⁶"),
        (-1.5, ".1f", "−1.5"),
        (1e12, ".0e", "1×10¹²"),
        (-0.04, "+.1f", "+0.0"),
        (-0.0, ".3g", "0"),
        (-0.0004, ".1%", "0.0%"),
        (3, ".0f", "3"),
    ],
)
def test_numbers(value: float, form: str, text: str) -> None:
    assert number(value, form) == text

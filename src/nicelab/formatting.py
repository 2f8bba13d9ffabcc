"""How numbers from `results/` are written for a reader."""

from uncertainties import ufloat

from nicelab.statistics import Estimate


def estimate(metric: Estimate) -> str:
    """`1998.7 ± 2.4`: two digits of the standard error; exact numbers with six digits."""
    if metric.standard_error == 0:
        return number(metric.value, ".6g")
    text = f"{ufloat(metric.value, metric.standard_error):.2uP}"
    return text.replace("±", " ± ").replace("-", "−")


def number(value: float, form: str) -> str:
    """A number in this format, with a true minus sign and ×10ⁿ for an exponent; 0 is never −0."""
    sign = form[:1] if form[:1] in "+-" else ""
    mantissa, _, exponent = format(float(value), f"{sign}z{form[len(sign) :]}").partition("e")
    text = mantissa.replace("-", "−")
    if not exponent:
        return text
    superscript = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{text}×10{superscript}"

"""Headlines of the gradient estimators: where SGD ends, and how many have a bias."""

from nicelab.formatting import number
from nicelab.gradients.records import CONVICTED
from nicelab.pipeline.metrics import Metrics
from nicelab.published import SGD_ENDS
from nicelab.report.headlines.headline import Headline, agreement
from nicelab.statistics import Estimate

LABELS = {"score": "score function", "pathwise": "pathwise"}
NOT_RANDOM = 1e-12  # standard error below which only rounding varies


def estimators(metrics: Metrics) -> list[Headline]:
    """SGD with the sheet's two, as printed and right; then all of them."""
    return [
        *(
            headline
            for name, label in LABELS.items()
            for variant, quantity in (
                (f"{name}_as_printed", f"{label}, as printed"),
                (name, label),
            )
            for headline in _ends(variant, quantity, SGD_ENDS[name], metrics["sgd"][variant])
        ),
        _convicted(metrics["estimators"]),
    ]


def _ends(
    variant: str, label: str, published: tuple[float, float], run: Metrics
) -> list[Headline]:
    """Where the runs of one estimator end, μ and σ."""
    found = []
    for parameter, symbol, printed in zip(("mu", "sigma"), "μσ", published, strict=True):
        ours, expected = run[parameter], run["exact"][parameter].value
        found.append(
            Headline(
                f"gradients.sgd.{variant}.{parameter}",
                f"SGD, {label}: {symbol} after the last step",
                ours,
                published=f"{printed:.5f}",
                published_agrees=agreement(run["printed"][parameter]["z_score"]),
                exact=number(expected, ".6f"),
                exact_agrees=agreement(ours.z_score(expected)),
            )
        )
    return found


def _convicted(metrics: Metrics) -> Headline:
    """How many estimators have a bias that a z-test proves."""
    return Headline(
        "gradients.convicted",
        f"Gradient estimators whose bias a z-test proves, of {len(metrics)}",
        Estimate.exact(len(convicted(metrics))),
    )


def convicted(metrics: Metrics) -> set[str]:
    """Estimators that have a bias which a z-test proves at some point."""
    return {
        name
        for name, points in metrics.items()
        if any(_is_biased(bias) for at in points.values() for bias in at["bias"].values())
    }


def _is_biased(bias: Estimate) -> bool:
    return bias.standard_error > NOT_RANDOM and abs(bias.z_score(0)) > CONVICTED

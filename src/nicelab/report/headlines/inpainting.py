"""Headlines of inpainting: squared errors on hidden pixels, and the judge's accuracy."""

from collections.abc import Mapping

from nicelab.pipeline.metrics import Metrics
from nicelab.report.headlines.headline import Headline
from nicelab.report.tables.table import first
from nicelab.statistics import of_a_share

PRINTED = {"as_printed": "as printed", "gradient_zeroed": "gradient zeroed"}


def completions(flows: Mapping[str, Metrics]) -> list[Headline]:
    """The sheet's box as the sheet fills it, and means over all masks."""
    metrics = first(flows)
    printed, means = metrics["methods"], metrics["mean_over_masks"]
    over_masks = {
        "gaussian": ("gaussian", "a Gaussian's conditional mean"),
        "ascent": ("ascent_from_gaussian", f"{metrics['flow']}'s ascent from there"),
    }
    return [
        *(
            Headline(
                f"inpainting.{name}.squared_error",
                f"Inpainting, sheet's box, {label}: squared error on hidden pixels",
                printed[name]["squared_error"],
            )
            for name, label in PRINTED.items()
        ),
        *(
            Headline(
                f"inpainting.{name}.squared_error",
                f"{_masks(metrics)}, {label}: squared error",
                means[method]["squared_error"],
            )
            for name, (method, label) in over_masks.items()
        ),
        *(
            Headline(
                f"inpainting.{name}.squared_error_less_gaussian",
                f"{_masks(found)}, mean of {found['flow']}'s chains: squared error less the "
                "Gaussian's",
                found["mean_over_masks"]["chain_mean"]["squared_error_less_gaussian"],
            )
            for name, found in flows.items()
        ),
    ]


def _masks(metrics: Metrics) -> str:
    return f"Inpainting, {len(metrics['masks'])} masks"


def judge(metrics: Metrics) -> list[Headline]:
    """Of the classifier that recognises completions, if the images have classes."""
    if "test" not in metrics:
        return []
    return [
        Headline(
            "classifier.test_accuracy_percent",
            "Judge of completions: accuracy on test images (%)",
            of_a_share(metrics["test"]["accuracy"]).scaled(100),
        )
    ]

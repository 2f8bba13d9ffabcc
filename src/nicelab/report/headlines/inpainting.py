"""Headlines of inpainting: squared errors on hidden pixels, and the judge's accuracy."""

from nicelab.pipeline.metrics import Metrics
from nicelab.report.headlines.headline import Headline
from nicelab.statistics import of_a_share

PRINTED = {"as_printed": "as printed", "gradient_zeroed": "gradient zeroed"}
OVER_MASKS = {
    "gaussian": ("gaussian", "a Gaussian's conditional mean"),
    "ascent": ("ascent_from_gaussian", "NICE's ascent from there"),
    "nice": ("chain_mean", "mean of NICE's chains"),
}


def completions(metrics: Metrics) -> list[Headline]:
    """The sheet's box as the sheet fills it, and means over all masks."""
    printed, means = metrics["methods"], metrics["mean_over_masks"]
    masks = f"Inpainting, {len(metrics['masks'])} masks"
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
                f"{masks}, {label}: squared error",
                means[method]["squared_error"],
            )
            for name, (method, label) in OVER_MASKS.items()
        ),
        Headline(
            "inpainting.nice.squared_error_less_gaussian",
            f"{masks}, mean of NICE's chains: squared error less the Gaussian's",
            means["chain_mean"]["squared_error_less_gaussian"],
        ),
    ]


def judge(metrics: Metrics) -> Headline:
    """Of the classifier that recognises completions."""
    return Headline(
        "classifier.test_accuracy_percent",
        "Judge of completions: accuracy on test images (%)",
        of_a_share(metrics["test"]["accuracy"]).scaled(100),
    )

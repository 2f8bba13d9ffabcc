"""What was found, for a reader with one minute: a sentence a claim, each with its verdict."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from nicelab.formatting import estimate, number
from nicelab.gradients.verdicts import printed_by_the_faults
from nicelab.inpainting.verdicts import accepted, contest
from nicelab.pipeline.metrics import Metrics
from nicelab.published import NICE_LOG_LIKELIHOOD
from nicelab.report.contents import Results
from nicelab.report.headlines import gradients, likelihood
from nicelab.report.headlines.convolution import ROUNDING, largest_error
from nicelab.report.headlines.headline import AGREES, sign
from nicelab.report.tables.table import first, percent
from nicelab.statistics import Estimate, difference

AS_PRINTED = "_as_printed"  # ends the names of estimators that keep a fault of the sheet
Verdict = Literal["holds", "refuted", "open"]


class Finding(NamedTuple):
    """A claim and what became of it.

    Args:
        verdict: of the claim.
        section: of the report, where more of it stands.
        claim: what was asked.
        found: the numbers that decide.
    """

    verdict: Verdict
    section: str
    claim: str
    found: str


def findings(metrics: Results) -> list[Finding]:
    """One or two of each study, of those of flows for each flow; of the sheet's rule one."""
    likelihoods, diagnostics, completions = (
        metrics[study] for study in ("likelihood", "diagnostics", "inpainting")
    )
    return [
        _likelihood(first(likelihoods)),
        *(_beside_the_first(other, first(likelihoods)) for other in _others(likelihoods)),
        *map(_density, likelihoods.values(), diagnostics.values()),
        _rule(first(completions)),
        *map(_completion, completions.values()),
        *map(_mixing, completions.values()),
        _convolution(metrics["convolution"]),
        _mix(metrics["ablation"]),
        _gambler(metrics["importance"]),
        _proposals(metrics["importance"]),
        _printed(metrics["gradients"]),
        _convicted(metrics["gradients"]),
    ]


def markdown(found: Sequence[Finding]) -> str:
    """A list for a README."""
    return "\n".join(f"- **{x.verdict}**: {x.claim}: {x.found}." for x in found)


def _negative(x: Estimate) -> Estimate:
    return Estimate(-x.value, x.standard_error, x.n)


def _verdict(x: Estimate) -> Verdict:
    """Of the claim that a number is positive."""
    verdicts: dict[int, Verdict] = {1: "holds", -1: "refuted", 0: "open"}
    return verdicts[sign(x)]


def _likelihood(metrics: Metrics) -> Finding:
    ours, how = likelihood.measured(metrics, "test")
    flow = metrics["flow"]
    if likelihood.is_published(metrics) and "over_seeds" in metrics:
        spread = Estimate(ours.value - NICE_LOG_LIKELIHOOD, likelihood.of_one(ours), ours.n)
        claim, than = f"{flow} reaches the likelihood of its paper", "the paper’s one training"
    else:
        gaussian = metrics["gaussian"]["test"]["log_likelihood"]
        spread = difference(metrics["test"]["log_likelihood"], gaussian)
        claim, than = f"{flow} has more likelihood than a Gaussian", "the Gaussian"
    more = "more" if spread.value > 0 else "fewer"
    return Finding(
        _verdict(spread),
        "likelihood",
        claim,
        f"{estimate(ours)} nats on {metrics['dataset']} test images ({how}), "
        f"{abs(spread.value):.0f} {more} than {than}",
    )


def _others(flows: Mapping[str, Metrics]) -> list[Metrics]:
    return list(flows.values())[1:]


def _beside_the_first(metrics: Metrics, sheets: Metrics) -> Finding:
    ours, how = likelihood.measured(metrics, "test")
    theirs, _ = likelihood.measured(sheets, "test")
    more = difference(ours, theirs)
    return Finding(
        _verdict(more),
        "likelihood",
        f"{metrics['flow']} has more likelihood than {sheets['flow']}",
        f"{estimate(ours)} nats on {metrics['dataset']} test images ({how}), "
        f"{abs(more.value):.0f} {'more' if more.value > 0 else 'fewer'} than {sheets['flow']}",
    )


def _density(likelihoods: Metrics, metrics: Metrics) -> Finding:
    black = metrics["other_images"]["black"]["log_likelihood"]
    test = likelihoods["test"]["log_likelihood"]
    rejected = metrics["latents"]["share_rejected_at_1_percent"]
    less = difference(test, black)
    return Finding(
        _verdict(less),
        "diagnostics",
        f"Under {metrics['flow']} a black image is less likely than the images of the data",
        f"a black image has {estimate(black)} nats, test images {estimate(test)}; "
        f"{rejected.value:.0%} of the latents are not "
        f"{metrics['labels']['prior']} at the 1 % level",
    )


def _rule(metrics: Metrics) -> Finding:
    less = metrics["squared_error_zeroed_less_printed"]
    printed = metrics["methods"]["as_printed"]["squared_error"]
    return Finding(
        _verdict(_negative(less)),
        "inpainting",
        "With its gradient set to zero the sheet’s ascent completes better",
        f"squared error {estimate(printed)} as printed; on the same {less.n} images the "
        f"difference that zeroing makes is {estimate(less)}",
    )


def _completion(metrics: Metrics) -> Finding:
    less = metrics["mean_over_masks"]["chain_mean"]["squared_error_less_gaussian"]
    found = contest(metrics["masks"], "chain_mean", "gaussian")
    mixed = len(accepted(metrics["posterior"])) == len(metrics["masks"])
    return Finding(
        _verdict(_negative(less)),
        "inpainting",
        f"The mean of {metrics['flow']}’s chains completes images better than a Gaussian, "
        "over all masks",
        f"its squared error less the Gaussian’s is {estimate(less)}; it is nearer to the truth "
        f"behind {found.nearer} masks, farther behind {found.farther}, undecided behind "
        f"{found.undecided}{'' if mixed else '; the chains have not mixed'}",
    )


def _mixing(metrics: Metrics) -> Finding:
    masks, long = metrics["posterior"]["masks"], metrics["posterior"]["long"]
    mixed = len(accepted(metrics["posterior"]))
    return Finding(
        "holds" if mixed == len(masks) else "open",
        "inpainting",
        f"{metrics['flow']}’s long chains on the hidden pixels mix, so that their draws are those "
        "of a posterior",
        f"they do behind {mixed} of {len(masks)} masks (R-hat below {long['r_hat']}, "
        f"{long['ess']} effective draws); the chains that are scored are shorter",
    )


def _convolution(metrics: Metrics) -> Finding:
    worst = largest_error(metrics)
    return Finding(
        "holds" if worst < ROUNDING else "refuted",
        "convolution",
        "The four formulas for the log-determinants of 1×1 convolutions are right",
        f"they differ from automatic differentiation by at most {number(worst, '.1e')} nats",
    )


def _mix(metrics: Metrics) -> Finding:
    without = metrics["rungs"]["permutation"]
    low, high = without["interval"]
    return Finding(
        "holds" if high < 0 else "refuted" if low > 0 else "open",
        "convolution",
        f"The 1×1 convolution gives {metrics['flow']} more likelihood than permutations do",
        f"with random permutations {metrics['dataset']} validation images have "
        f"{estimate(without['less_complete'])} nats beside it after {metrics['epochs']} epochs "
        f"({without['log_likelihood'].n} trainings of each)",
    )


def _gambler(metrics: Metrics) -> Finding:
    sheet, exact = metrics["methods"]["sheet"], metrics["exact"]["probability"].value
    return Finding(
        "holds" if abs(sheet["z_score"]) < AGREES else "refuted",
        "importance",
        "Importance sampling as on the sheet estimates the rare event",
        f"{estimate(sheet['probability'])} where the exact answer is {number(exact, '.4e')}; "
        f"its exact relative error is {percent(sheet['exact_relative_error'])}",
    )


def _proposals(metrics: Metrics) -> Finding:
    methods, labels = metrics["methods"], metrics["labels"]["methods"]
    constant = {
        name: found["exact_relative_error"].value
        for name, found in methods.items()
        if isinstance(found.get("q"), float) and "exact_relative_error" in found
    }
    best = min(constant, key=constant.__getitem__)
    brownian = methods["brownian"]["exact_relative_error"]
    return Finding(
        "holds" if brownian.value < constant[best] else "refuted",
        "importance",
        "A proposal that looks at play and balance can beat every constant one",
        f"relative errors of {percent(methods['sheet']['exact_relative_error'])} (the sheet’s), "
        f"{percent(methods[best]['exact_relative_error'])} (the best constant one: "
        f"{labels[best]}) and {percent(brownian)} ({labels['brownian']})",
    )


def _printed(metrics: Metrics) -> Finding:
    run = metrics["sgd"]["pathwise"]
    return Finding(
        "refuted" if printed_by_the_faults(metrics["sgd"]) else "open",
        "gradients",
        "The sheet’s printed runs of SGD are those of unbiased estimators",
        f"its σ after pathwise steps lies {abs(run['printed']['sigma']['z_score']):.1f} standard "
        "deviations of a run from the unbiased one’s",
    )


def _convicted(metrics: Metrics) -> Finding:
    found = gradients.convicted(metrics["estimators"])
    known = {name for name in metrics["estimators"] if name.endswith(AS_PRINTED)}
    return Finding(
        "holds" if found == known else "refuted",
        "gradients",
        "A z-test finds the biased estimators and no other",
        f"it convicts {len(found)} of {len(metrics['estimators'])}; {len(known)} keep "
        "a fault of the sheet",
    )

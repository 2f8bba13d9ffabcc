"""Two queues in tandem: exact answers in several ways, and every estimator against them."""

from dataclasses import replace
from fractions import Fraction
from functools import cache
from math import log
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from imports import ROOT
from nicelab.errors import InputError
from nicelab.figures.tandem import draw, finding, power
from nicelab.importance.draws import Draws
from nicelab.pipeline.artifacts import read_metrics, write_metrics
from nicelab.pipeline.params import load
from nicelab.report.tables import tandem as tables
from nicelab.statistics import mean
from nicelab.tandem import exact, growth
from nicelab.tandem.config import Levels, Rates, Tandem
from nicelab.tandem.exact import Moments, harmonic, moments, order
from nicelab.tandem.proposals import PROPOSALS, formula, pieces
from nicelab.tandem.queue import START, Queue
from nicelab.tandem.simulation import Paths, _weighted, limits_of, simulate
from nicelab.tandem.splitting import SPLITTING, Splitting, split
from nicelab.tandem.study import LABELS, judge

CONFIG = load(ROOT / "params.yaml", "tandem", Tandem)
SMALL = CONFIG.model_copy(
    update={
        "sizes": [5, 10, 20, 40],
        "fit_from": 5,
        "simulated": 10,
        "paths": 500,
        "splitting": Levels(paths=50, groups=10, largest=5),
    }
)
REGIMES = CONFIG.regimes | {"other": Rates(arrival=0.15, first=0.25, second=0.6)}
regime = pytest.mark.parametrize("regime", REGIMES)
proposal = pytest.mark.parametrize("name", PROPOSALS)


def queue(name: str, size: int) -> Queue:
    return Queue(REGIMES[name], size)


def table(of: Queue, name: str) -> np.ndarray:
    return PROPOSALS[name].table(of, CONFIG)


def kernel(of: Queue, factors: np.ndarray) -> np.ndarray:
    """Dense, over all states with fewer than N customers; none from or to the empty one."""
    found, after = np.zeros((of.number, of.number)), of.next()
    for state in range(1, of.number):
        for kind in range(3):
            if 0 < after[state, kind] < of.number:
                found[state, after[state, kind]] += factors[state, kind]
    return found


def square_kernel(of: Queue, q: np.ndarray) -> np.ndarray:
    """Of second moments, p² / q, in units in which they are of a moderate size."""
    p = of.jumps()
    unit = np.exp(-2 * of.decay * (of.size - np.add(*of.states())))
    return kernel(of, np.divide(p**2, q, out=np.zeros_like(q), where=q > 0)) * unit / unit[:, None]


def by_levels(of: Queue) -> float:
    """The same without sparse equations: of n customers the first n + 1 are met by dense B_n.

    With U, S and D the jumps from n to more, as many and fewer customers,
    B_n = (1 − S − D B_{n−1})⁻¹ U, and the probability is the sum over B_1 B_2 … B_{N−1}.
    """
    p, after = of.jumps(), of.next()
    start = [n * (n + 1) // 2 for n in range(of.size + 2)]
    met, passed = np.zeros((1, 2)), None
    for n in range(1, of.size):
        up, same, down = np.zeros((n + 1, n + 2)), np.zeros((n + 1, n + 1)), np.zeros((n + 1, n))
        for row, state in enumerate(range(start[n], start[n + 1])):
            for kind, (to, first) in enumerate(((up, n + 1), (same, n), (down, n - 1))):
                if p[state, kind]:
                    to[row, after[state, kind] - start[first]] += p[state, kind]
        back = down @ met if n > 1 else 0.0
        met = np.linalg.solve(np.eye(n + 1) - same - back, up)
        passed = met if passed is None else passed @ met
    return float(passed[0].sum())


def by_fractions(of: Queue) -> Fraction:
    """Gauss's elimination in rational numbers, of the same equations written out anew."""
    rates = [Fraction(str(x)) for x in (of.rates.arrival, of.rates.first, of.rates.second)]
    states = [(i, n - i) for n in range(1, of.size) for i in range(n, -1, -1)]
    place, rows = {state: k for k, state in enumerate(states)}, []
    for i, j in states:
        row = [Fraction(0)] * (len(states) + 1)
        jumps = [((i + 1, j), rates[0])]
        jumps += [((i - 1, j + 1), rates[1])] if i else []
        jumps += [((i, j - 1), rates[2])] if j else []
        row[place[i, j]] += 1
        for after, rate in jumps:
            chance = rate / sum(r for _, r in jumps)
            if sum(after) == of.size:
                row[-1] += chance
            elif after in place:
                row[place[after]] -= chance
        rows.append(row)
    for k in reversed(range(len(rows))):
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for other in range(k):
            factor = rows[other][k]
            rows[other] = [x - factor * y for x, y in zip(rows[other], rows[k], strict=True)]
    return rows[0][-1]


def test_states_are_in_order() -> None:
    i, j = queue("bounded", 3).states()
    assert list(zip(i, j, strict=True)) == [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]
    assert (i[START], j[START]) == (1, 0)
    assert len(queue("bounded", 3).states(end=True)[0]) == 10


@regime
def test_two_customers_by_hand(regime: str) -> None:
    """From (1, 0) a second one comes, or (0, 1), from where one comes, or nobody is left."""
    of = queue(regime, 2)
    r = of.rates
    one = r.arrival / (r.arrival + r.first)
    expected = one + (1 - one) * r.arrival / (r.arrival + r.second)
    assert np.exp(harmonic(of).log) == pytest.approx(expected, rel=1e-14)


@regime
@pytest.mark.parametrize("size", [3, 7])
def test_the_probability_in_rational_numbers(regime: str, size: int) -> None:
    of = queue(regime, size)
    assert np.exp(harmonic(of).log) == pytest.approx(float(by_fractions(of)), rel=1e-13)


@regime
@pytest.mark.parametrize("size", [3, 10, 50])
def test_the_probability_level_by_level(regime: str, size: int) -> None:
    of = queue(regime, size)
    assert np.exp(harmonic(of).log) == pytest.approx(by_levels(of), rel=1e-12)
    assert harmonic(of).residual < 1e-13


@regime
def test_the_formula_of_sezer_far_from_the_first_boundary(regime: str) -> None:
    """Its relative error at (N / 2, N / 8) decays exponentially, to rounding."""
    errors = []
    for size in (40, 80, 160):
        of = queue(regime, size)
        i, j = of.states()
        there = int(np.flatnonzero((i == size // 2) & (j == size // 8))[0])
        errors.append(abs(formula(of)[there] / harmonic(of).scaled[there] - 1))
    for before, after in zip(errors, errors[1:], strict=False):
        assert after < max(before**1.5, 1e-11)
    assert errors[0] < 0.1


def test_the_formula_for_equal_servers_is_a_limit() -> None:
    near = Queue(Rates(arrival=0.1, first=0.45 + 1e-5, second=0.45 - 1e-5), 30)
    assert_allclose(formula(queue("infinite", 30)), formula(near), rtol=3e-3)


@regime
def test_the_logarithm_decays_like_gamma_n(regime: str) -> None:
    of, other = queue(regime, 200), queue(regime, 400)
    slope = (harmonic(of).log - harmonic(other).log) / 200
    assert slope == pytest.approx(of.decay, abs=0.01)


def test_dissection_is_an_order() -> None:
    assert sorted(order(40)) == list(range(820))


@regime
@proposal
@pytest.mark.parametrize("size", [3, 12])
def test_moments_by_dense_equations(regime: str, name: str, size: int) -> None:
    """Second moment, jumps and idle jumps; and infinite where the spectral radius is over 1."""
    of = queue(regime, size)
    q, p = table(of, name), of.jumps()
    found, square = moments(of, q, name), square_kernel(of, q)
    finite = np.abs(np.linalg.eigvals(square)).max() < 1
    assert (found.log_variance < np.inf) == finite
    inside = np.eye(of.number)
    jumps = np.linalg.solve(inside - kernel(of, q), (np.arange(of.number) > 0) * 1.0)
    assert found.jumps == pytest.approx(jumps[START], rel=1e-10)
    if not finite:
        return
    worth = np.where(of.next()[:, 0] >= of.number, p[:, 0] ** 2 / q[:, 0], 0)
    green = np.linalg.inv(inside - square)
    second = green @ (worth * np.exp(2 * of.decay))  # from N - 1 customers
    variance = second[START] / harmonic(of).scaled[START] ** 2 - 1
    assert np.exp(found.log_variance) == pytest.approx(variance, rel=1e-8, abs=1e-9)
    idle = (green[START] * second)[of.states()[1] == 0].sum() / second[START]
    assert found.idle == pytest.approx(idle, rel=1e-8)


@pytest.mark.parametrize("size", [10, 15, 20, 30])
def test_infinite_variances_are_found_not_solved(size: int) -> None:
    """Where the exchange's spectral radius passes 1 linear equations still have an answer."""
    of = queue("infinite", size)
    q = table(of, "exchange")
    radius = np.abs(np.linalg.eigvals(square_kernel(of, q))).max()
    found = moments(of, q, "exchange")
    assert (found.log_variance == np.inf) == (radius > 1) == (size >= 15)
    assert (found.idle == np.inf) == (radius > 1)


@regime
@pytest.mark.parametrize("size", [2, 10, 80])
def test_doob_has_no_variance(regime: str, size: int) -> None:
    of = queue(regime, size)
    found = moments(of, table(of, "doob"), "doob")
    assert found.log_variance == -np.inf
    assert found.idle == pytest.approx(harmonic(of).idle, rel=1e-9)
    paths = simulate(of, table(of, "doob"), 100, Draws(0, "doob"))
    assert_allclose(paths.relative, 1, rtol=1e-12)


@regime
def test_crude_variance_is_that_of_a_share(regime: str) -> None:
    of = queue(regime, 10)
    i = np.exp(harmonic(of).log)
    assert moments(of, of.jumps(), "crude").log_variance == pytest.approx(log(1 / i - 1))


@regime
def test_the_subsolution_satisfies_its_inequalities(regime: str) -> None:
    """Σ p(v) e^⟨g, v⟩ ≤ 1, idle jumps too, wherever a piece may be the least one.

    The exchange inside and at an empty first queue, the second piece at an empty second one too.
    Alone, at an empty second queue, the exchange breaks it: that is why it fails.
    """
    of = queue(regime, 10)
    r = of.rates

    def total(slope: np.ndarray, *, first: bool, second: bool) -> float:
        a, b = slope
        tilts = np.exp([a, (b - a) * first, -b * second])
        return float(np.array([r.arrival, r.first, r.second]) @ tilts)

    exchange, along, _ = pieces(of)
    assert total(exchange, first=True, second=True) <= 1 + 1e-12
    assert total(exchange, first=False, second=True) <= 1 + 1e-12
    assert total(along, first=True, second=True) <= 1 + 1e-12
    assert total(along, first=True, second=False) <= 1 + 1e-12
    assert total(exchange, first=True, second=False) > 1


def test_pieces_of_the_subsolution_hold_where_they_shall() -> None:
    """The exchange inside, the second one at an empty second queue, none at the start."""
    of = queue("growing", 600)
    q, base, (i, j) = table(of, "subsolution"), of.jumps(), of.states()
    g = np.exp(of.decay)
    inside, along = [int(np.flatnonzero((i == 250) & (j == k))[0]) for k in (250, 0)]
    for state, tilt in ((inside, [g, 1, 1 / g]), (along, [g, 1 / g, 1]), (START, [1, 1, 1])):
        expected = base[state] * tilt / (base[state] * tilt).sum()
        assert_allclose(q[state], expected, atol=0.05)


def z_score(found: Paths) -> float:
    return mean(found.relative).z_score(1)


PATHS = 40_000
FINITE = [(r, n) for r in REGIMES for n in ("exchange", "subsolution", "approximation")]


@pytest.mark.parametrize(("regime", "name"), FINITE)
def test_every_proposal_is_unbiased(regime: str, name: str) -> None:
    """Within 4 standard errors, N = 6; jumps and second moments too."""
    of = queue(regime, 6)
    q = table(of, name)
    expected, found = moments(of, q, name), simulate(of, q, PATHS, Draws(1, f"{regime} {name}"))
    assert abs(z_score(found)) < 4
    assert abs(mean(found.jumps).z_score(expected.jumps)) < 4
    assert abs(mean((found.relative - 1) ** 2).z_score(np.exp(expected.log_variance))) < 4


@regime
def test_crude_paths_are_unbiased(regime: str) -> None:
    of = queue(regime, 3)
    found = simulate(of, of.jumps(), PATHS, Draws(1, regime))
    assert abs(z_score(found)) < 4
    assert abs(mean(found.jumps).z_score(moments(of, of.jumps(), "crude").jumps)) < 4


@regime
@pytest.mark.parametrize("name", SPLITTING)
def test_splitting_is_unbiased(regime: str, name: str) -> None:
    few = Levels(paths=60, groups=1500, largest=6)  # so that a bias of 1 / paths a level is seen
    assert abs(z_score(split(queue(regime, 6), SPLITTING[name], few, D))) < 4


D = Draws(2, "splitting")


@pytest.mark.parametrize("name", SPLITTING)
def test_levels_begin_at_the_start_and_end_when_full(name: str) -> None:
    of = queue("growing", 9)
    level = SPLITTING[name].levels(of)
    full = np.add(*of.states(end=True)) == of.size
    assert (level[START], level[0]) == (0, -1)
    assert (level[full] == level.max()).all()
    assert level[~full].max() < level.max()


def test_splitting_whose_last_level_is_not_full_is_found() -> None:
    wrong = Splitting(
        "early", lambda of: SPLITTING["splitting_by_customers"].levels(of).clip(max=3)
    )
    found = split(queue("other", 6), wrong, Levels(paths=200, groups=100, largest=6), D)
    assert abs(z_score(found)) > 4


def wrong_weight(of: Queue, q: np.ndarray) -> Paths:
    """Paths drawn with q whose weights are those of another proposal."""
    other = table(of, "approximation")
    limits = limits_of(q)
    ratio = np.log(np.where(other > 0, of.jumps() / np.where(other > 0, other, 1), 1))
    log_weight, jumps = _weighted(limits, ratio, of.size, PATHS, Draws(3, "wrong").stream(0))
    return Paths(np.exp(log_weight - harmonic(of).log), jumps)


def test_wrong_weights_are_found() -> None:
    of = queue("other", 6)
    assert abs(z_score(wrong_weight(of, table(of, "subsolution")))) > 4


def test_a_wrong_boundary_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other chances where the second server is idle, against fractions that are written anew.

    The recursion from level to level agrees with the chain as it was changed.
    """
    right = float(by_fractions(queue("other", 5)))
    slow = Queue(REGIMES["other"], 5)
    wrong = slow.jumps()
    wrong[slow.states()[1] == 0] = [0.4, 0.6, 0.0]
    monkeypatch.setattr(Queue, "jumps", lambda self: wrong)
    harmonic.cache_clear()
    assert abs(np.exp(harmonic(slow).log) / right - 1) > 1e-3
    assert np.exp(harmonic(slow).log) == pytest.approx(by_levels(slow), rel=1e-12)
    harmonic.cache_clear()


def without_service(q: np.ndarray) -> np.ndarray:
    """Arrivals alone come after (2, 0)."""
    return np.where(np.arange(len(q))[:, None] == 3, [1.0, 0.0, 0.0], q)


def without_arrivals_when_nearly_full(q: np.ndarray) -> np.ndarray:
    """In the last state alone, whose customers are all at the second server."""
    return np.where(np.arange(len(q))[:, None] == len(q) - 1, [0.0, 0.0, 1.0], q)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda q: q[1:], r"must be probabilities of shape \(21, 3\), got \(20, 3\)"),
        (lambda q: 0.9 * q, "has no probabilities"),
        (without_service, "has 0 where a path may reach N"),
        (without_arrivals_when_nearly_full, "has 0 where a path may reach N"),
        (lambda q: np.full_like(q, 1 / 3), "has no probabilities"),
        (lambda q: np.full_like(q, np.nan), "has no probabilities"),
    ],
)
def test_biased_proposals_are_refused_by_name(change, message: str) -> None:  # noqa: ANN001
    of = queue("growing", 6)
    with pytest.raises(InputError, match=f"proposal mine {message}"):
        moments(of, change(of.jumps()), "mine")


def test_second_moments_beyond_the_largest_number_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of = queue("growing", 4)
    q, _ = table(of, "exchange"), harmonic(of)
    monkeypatch.setattr(exact._System, "solve", lambda self, b, **_: np.full(len(b), np.inf))
    with pytest.raises(InputError, match=r"lower tandem\.sizes"):
        moments(of, q, "exchange")


def test_growth_is_told_apart() -> None:
    sizes, log_i = [10, 20, 40, 80, 160], -2.0 * np.array([10, 20, 40, 80, 160])
    n = np.log(sizes)

    def of(y: np.ndarray) -> str:
        return growth.grown(sizes, log_i, y, 10)["growth"]

    assert of(-log_i) == growth.GROWING
    assert of(2 * n + 1) == growth.EFFICIENT
    assert of(np.full(5, 0.7)) == growth.BOUNDED
    assert of(np.full(5, -np.inf)) == growth.NO_VARIANCE
    infinite = growth.grown(sizes, log_i, np.array([1, np.inf, 2, 3, 4]), 40)
    assert infinite == {"growth": growth.INFINITE, "infinite_from": 20}
    assert growth.grown(sizes, log_i, n, 40)["growth"] == growth.UNKNOWN
    exponents = growth.grown(sizes, log_i, 3 - 0.3 * log_i + 1.5 * n, 10)
    assert exponents["exponential"].value == pytest.approx(0.3)
    assert exponents["polynomial"].value == pytest.approx(1.5)


study = cache(lambda: judge(SMALL))


def test_what_the_study_finds() -> None:
    found, metrics = study()
    again, _ = judge(SMALL)
    assert set(found.growth) == {f"{r}_{e}" for r in SMALL.regimes for e in LABELS}
    for name, one in found.growth.items():
        np.testing.assert_array_equal(one.observed, again.growth[name].observed)
    for name, x in metrics["regimes"].items():
        for n in SMALL.sizes:
            log_i = harmonic(Queue(REGIMES[name], n)).log
            told = x["exact"][f"N={n}"]["log10_probability"]
            assert told == pytest.approx(log_i / np.log(10))
        subsolution = x["estimators"]["subsolution"][f"N={SMALL.sizes[0]}"]
        assert subsolution["z_score"] == pytest.approx(subsolution["estimate"].z_score(1))
    regimes = {key: x["estimators"] for key, x in metrics["regimes"].items()}
    assert [x["exchange"]["growth"] for x in regimes.values()] == [
        growth.BOUNDED,
        growth.GROWING,
        growth.INFINITE,
    ]
    assert all(x["doob"]["growth"] == growth.NO_VARIANCE for x in regimes.values())
    assert all(
        x["crude"]["exponential"].value == pytest.approx(1, abs=0.02) for x in regimes.values()
    )
    assert "N=5" in regimes["growing"]["splitting_by_formula"]


def test_figure_and_tables_say_what_was_found(tmp_path: Path) -> None:
    found, metrics = study()
    write_metrics(tmp_path / "m.json", metrics)
    read = read_metrics(tmp_path / "m.json")
    figure = draw(found, read)
    assert len(figure.axes) == len(SMALL.regimes)
    assert "∞" in finding(found, read)
    rows = tables.estimators(read).rows
    assert len(rows) == len(SMALL.regimes) * len(LABELS)
    assert len(tables.answers(read).rows) == len(SMALL.regimes) * len(SMALL.sizes)
    told = tables.told(read)
    assert "infinite variance at N = 20 at λ = 0.1, μ₁ = 0.45" in told["exchange"]
    assert "bounded relative error at λ = 0.1, μ₁ = 0.7" in told["exchange"]
    changed = {**metrics["regimes"]["growing"]["estimators"]["exchange"], "growth": "bounded"}
    read["regimes"]["growing"]["estimators"]["exchange"] = changed
    assert "grows exponentially" not in tables.told(read)["exchange"]


@pytest.mark.parametrize(
    ("log10", "text"),
    [(np.inf, "∞"), (1.0, "10"), (3.0, "1000"), (4.0, "1.0×10⁴"), (197.99, "9.8×10¹⁹⁷")],
)
def test_numbers_of_any_size(log10: float, text: str) -> None:
    assert power(log10) == text
    assert power(4.9999) == "1.0×10⁵"


def test_unstable_rates_are_refused(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text()
    wrong = text.replace(
        "arrival: 0.1, first: 0.45, second: 0.45", "arrival: 0.4, first: 0.3, second: 0.3"
    )
    (tmp_path / "params.yaml").write_text(wrong)
    with pytest.raises(InputError, match="tandem.regimes.infinite: arrival must be < first"):
        load(tmp_path / "params.yaml", "tandem", Tandem)


def test_moments_are_of_one_queue_alone() -> None:
    """Nothing is kept of another one with the same number of customers."""
    one, other = queue("growing", 8), queue("bounded", 8)
    assert harmonic(one) is harmonic(replace(one))
    assert harmonic(one).log != harmonic(other).log
    assert isinstance(moments(one, one.jumps(), "crude"), Moments)

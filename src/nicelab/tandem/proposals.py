"""Proposals for the tandem queue: the probability of each kind of jump in every state.

To add one, write a function of the queue and the parameters and enter it in `PROPOSALS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from nicelab.tandem.config import Tandem
from nicelab.tandem.exact import harmonic
from nicelab.tandem.queue import CUSTOMERS, FIRST, SECOND, Queue, chances

EQUAL = 1e-6  # relative difference of the servers' rates below which the limit is taken


@dataclass(frozen=True)
class Proposal:
    """Importance sampling of the jumps.

    Args:
        label: what readers call it.
        table: probabilities of each kind of jump, float64, (states, 3).
        knows_the_answer: whether it is computed from what is to be estimated.
    """

    label: str
    table: Callable[[Queue, Tandem], np.ndarray]
    knows_the_answer: bool = False


def crude(queue: Queue, config: Tandem) -> np.ndarray:
    """The queue itself."""
    return queue.jumps()


def exchange(queue: Queue, config: Tandem) -> np.ndarray:
    """λ exchanged with the rate of the slower server (Parekh and Walrand, 1989).

    Of two equal servers the second counts as the slower one. Every jump that is made while the
    slower server is idle multiplies the weight by (μ₁ + μ₂) / (λ + the other rate), more than 1,
    beyond what the number of customers accounts for.
    """
    rates = [queue.rates.arrival, queue.rates.first, queue.rates.second]
    slower = FIRST if queue.rates.first < queue.rates.second else SECOND
    rates[0], rates[slower] = rates[slower], rates[0]
    return chances(queue, np.array(rates))


def pieces(queue: Queue) -> np.ndarray:
    """The gradients −r / 2 of the pieces of the subsolution, by queue, shape (3, 2).

    γ (1, 1) is the exchange, γ (1, 0) leaves the second queue alone, (0, 0) changes nothing.
    """
    return queue.decay * np.array([[1, 1], [1, 0], [0, 0]])


def subsolution(queue: Queue, config: Tandem) -> np.ndarray:
    """The mollified piecewise affine subsolution of Dupuis, Sezer and Wang (2007).

    With x = (i, j) / N, the pieces are

        W_k(x) = 2γ − 2 ⟨g_k, x⟩ − k δ,   g_1 = γ (1, 1), g_2 = γ (1, 0), g_3 = (0, 0),

    so the exchange is left where the second queue is nearly empty, which is where its weights
    grow, and the queue is left as it is near the origin. Each piece alone would change the jump v
    to p(v) e^⟨g_k, v⟩ / Σ; they are mixed with the shares

        e^(−W_k(x) / ε) / Σ_l e^(−W_l(x) / ε),   ε = mollifier / N,   δ = −ε log ε.

    The decay rate of its second moment is twice that of the probability as ε and δ vanish slowly
    enough (their main theorem; a short proof: de Boer and Scheinhardt, 2007, Queueing Systems 57,
    61 to 69). With ε as small as a constant over N the exact second moments have to show it. The
    theorem is of the chain with idle jumps; here they are integrated out, which adds no variance.
    """
    i, j = queue.states()
    epsilon = config.mollifier / queue.size
    delta = -epsilon * np.log(epsilon)
    slopes = pieces(queue)
    order = np.arange(1, 4)[:, None]
    heights = 2 * queue.decay - 2 * slopes @ np.stack([i, j]) / queue.size - order * delta
    shares = np.exp((heights.min(0) - heights) / epsilon)
    shares /= shares.sum(0)
    tilts = [np.exp([a, b - a, -b]) for a, b in slopes]  # of an arrival and of both services
    base = queue.jumps()
    mixed = [s[:, None] * chances(queue, base * t) for s, t in zip(shares, tilts, strict=True)]
    return np.sum(mixed, axis=0)


def formula(queue: Queue) -> np.ndarray:
    """Sezer's approximation of h in units of e^(−γ (N − n)), from N customers on too.

    With m = N − i − j and ρ = λ / μ, where i is large,

        h ≈ ρ₂^m + (μ₂ − λ) / (μ₂ − μ₁) ρ₁^j (ρ₁^m − ρ₂^m),

    exact but for an error that decays exponentially (Sezer, 2018, arXiv 1801.04674: the
    probability of the walk that is not held back at i = 0). For equal servers the limit is
    ρ^m (1 + (1 − ρ) m ρ^j). Shape (states with N,).
    """
    i, j = queue.states(end=True)
    rates, m = queue.rates, queue.size - i - j
    first, second = np.log([rates.arrival / rates.first, rates.arrival / rates.second])
    if abs(rates.first - rates.second) < EQUAL * rates.first:
        climb = (1 - np.exp(first)) * m
    else:
        both = np.exp(m * (first + queue.decay)) - np.exp(m * (second + queue.decay))
        climb = (rates.second - rates.arrival) / (rates.second - rates.first) * both
    return np.exp(m * (second + queue.decay)) + np.exp(j * first) * climb


def approximation(queue: Queue, config: Tandem) -> np.ndarray:
    """The queue conditioned as if `formula` were its h; no path comes back to the empty state.

    The same idea, with a rougher formula, is in de Boer and Scheinhardt (2010).
    """
    h = formula(queue)
    h[0] = 0
    return _transform(queue, h)


def doob(queue: Queue, config: Tandem) -> np.ndarray:
    """The queue conditioned to reach N: every path does, with the same weight (Doob, 1957)."""
    return _transform(queue, np.append(harmonic(queue).scaled, np.ones(queue.size + 1)))


def _transform(queue: Queue, h: np.ndarray) -> np.ndarray:
    """P(x, y) h(y) / Σ, where h is in units of e^(−γ (N − n)); as it is from the empty state."""
    after = h[queue.next()]
    after[0] = 1
    return chances(queue, queue.jumps() * after * np.exp(queue.decay * CUSTOMERS))


PROPOSALS: Mapping[str, Proposal] = MappingProxyType(
    {
        "crude": Proposal("crude Monte Carlo", crude),
        "exchange": Proposal("constant exchange", exchange),
        "subsolution": Proposal("subsolution", subsolution),
        "approximation": Proposal("approximate h-transform", approximation),
        "doob": Proposal("Doob's h-transform", doob, knows_the_answer=True),
    }
)

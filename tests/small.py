"""Small flows of every family of the package, for tests of what any flow must do."""

from nicelab.flows import registry
from nicelab.flows.families import glow, nice
from nicelab.flows.flow import Flow

DIMENSIONS = 16  # of their images, 4 × 4

ARCHITECTURES = {
    "nice": nice.Architecture(family="nice", couplings=4, hidden=16, depth=2),
    "glow": glow.Architecture(
        family="glow",
        reach=20.0,
        mix="convolution",
        factor_out=True,
        levels=[{"steps": 3, "width": 8}],
    ),
}


def small(family: str) -> Flow:
    """A flow of this family, not yet initialised."""
    return registry.build(ARCHITECTURES[family], DIMENSIONS)

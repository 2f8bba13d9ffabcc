"""The family `glow`."""

from nicelab.flows.families.glow.glow import Architecture, Glow, build

__all__ = ["Architecture", "Glow", "build"]

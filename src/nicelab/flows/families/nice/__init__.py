"""The family `nice`."""

from nicelab.flows.families.nice.nice import NICE, Architecture, build

__all__ = ["NICE", "Architecture", "build"]

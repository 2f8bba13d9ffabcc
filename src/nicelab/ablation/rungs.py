"""The rungs of an ablation: what each changes of an architecture."""

from typing import Annotated, Any

from pydantic import Field, ValidationError

from nicelab.errors import InputError
from nicelab.pipeline.params import Section

Epochs = Annotated[int, Field(ge=1)]


class Rung(Section):
    """What is different of the architecture, or of the length of the training."""

    label: str
    change: dict[str, Any]
    epochs: Epochs | None = None  # as many as the others


class Rungs(Section):
    """How long each is trained, and the rungs; the others are held against the first."""

    epochs: Epochs
    rungs: Annotated[dict[str, Rung], Field(min_length=2)]

    def named(self, rung: str) -> Rung:
        """The rung of this name.

        Raises:
            InputError: there is none.
        """
        if rung not in self.rungs:
            raise InputError(f"the rung must be one of {', '.join(self.rungs)}, got {rung!r}")
        return self.rungs[rung]

    def trained(self, rung: str) -> int:
        """Epochs of a rung.

        Raises:
            InputError: there is no such rung.
        """
        return self.named(rung).epochs or self.epochs

    def architecture(self, of: Section, rung: str) -> Section:
        """The architecture with the change of this rung.

        Raises:
            InputError: there is no such rung, or it does not fit the architecture.
        """
        try:
            return type(of).model_validate({**of.model_dump(), **self.named(rung).change})
        except ValidationError as error:
            found = error.errors()[0]
            place = ".".join(map(str, found["loc"]))
            raise InputError(
                f"ablation.rungs.{rung}.change.{place}: {found['msg']}, got {found['input']!r}"
            ) from None

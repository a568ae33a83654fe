"""The forms that a feed-forward layer may have, and what each of them counts."""

from dataclasses import dataclass

from factcap.synth.errors import require

FEED_FORWARDS = ("gelu", "gated", "experts", "masked")


@dataclass(frozen=True)
class FeedForward:
    """A feed-forward layer.

    Attributes:
        form: `gelu`: two matrices with a GELU between them. `gated`: three, a half of the units
            opened by the other through a SiLU (SwiGLU, Shazeer 2020, 2002.05202). `experts`: many
            layers of the form `gelu`, of which a router chooses some for each position. `masked`:
            the form `gelu`, of whose units some are chosen for each sequence.
        width: of the residual stream.
        hidden: units; of one expert where there are several.
        experts: how many; 0 for the other forms.
        active: of a mixture the experts that a position goes through, of a masked layer the units
            that a sequence does; 0 for the other forms.

    Raises:
        BadInput: for a form that there is not, or numbers that do not fit it.
    """

    form: str
    width: int
    hidden: int
    experts: int = 0
    active: int = 0

    def __post_init__(self):
        require(
            self.form in FEED_FORWARDS,
            f"no feed_forward is called {self.form!r}; there are {', '.join(FEED_FORWARDS)}",
        )
        require(self.hidden >= 1, f"hidden must be at least 1, not {self.hidden}")
        if self.form == "experts":
            require(self.experts >= 2, f"experts must be at least 2, not {self.experts}")
            require(
                1 <= self.active <= self.experts,
                f"active must lie in [1, experts = {self.experts}], not {self.active}",
            )
            return
        require(self.experts == 0, f"only feed_forward experts has experts, not {self.form}")
        if self.form == "masked":
            require(
                1 <= self.active <= self.hidden,
                f"active must lie in [1, hidden = {self.hidden}], not {self.active}",
            )
        else:
            require(
                self.active == 0,
                f"only feed_forward experts and masked have active parts, not {self.form}",
            )

    @property
    def parameters(self) -> int:
        """Of this layer, the router included."""
        matrices = {"gated": 3, "experts": 2 * self.experts}.get(self.form, 2)
        return matrices * self.width * self.hidden + self.experts * self.width

    @property
    def active_parameters(self) -> int:
        """Of these, those that one position goes through."""
        unused = {"experts": self.experts - self.active, "masked": 1}.get(self.form, 0)
        units = self.hidden - self.active if self.form == "masked" else self.hidden
        return self.parameters - 2 * unused * self.width * units

    @property
    def computed_parameters(self) -> int:
        """Those that training multiplies a position with: of a masked layer all of them.

        What a unit that is left out would have added says whether it should have been chosen.
        """
        return self.parameters if self.form == "masked" else self.active_parameters

    @property
    def activations(self) -> int:
        """Numbers that a position has between the matrices in training."""
        return {"gated": 2, "experts": 2 * self.active}.get(self.form, 1) * self.hidden


def usual_hidden(form: str, width: int) -> int:
    """Units of a layer of the usual size; that of a gated one has as many parameters as the others.

    >>> usual_hidden("gelu", 128), usual_hidden("gated", 128)
    (512, 340)
    """
    # Three matrices of 8/3 times the width for two of 4 times; a multiple of 4 is quicker.
    return 4 * round(2 * width / 3) if form == "gated" else 4 * width

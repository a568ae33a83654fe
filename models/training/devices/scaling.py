"""What a model on a mesh needs, on paper: memory and communication of a step, and what limits it.

The formulas are those of `factcap.models.training.devices.mesh` and
`factcap.models.transformer.fast.parts`; docs/scaling.md holds the tables. Sizes are bytes on one
device. Sent bytes are those of ring algorithms: of an array of S bytes, a gather or a scatter over
n devices sends (n - 1) / n S from each, a sum twice that.
"""

import math
from dataclasses import dataclass
from functools import cached_property

from factcap.models.training.devices.mesh import DATA, MODEL, mesh_sizes
from factcap.models.transformer.decoder import TransformerConfig

_WIDE = 4  # bytes of float32: parameters, gradients, optimizer
_HALF = 2  # bytes of bfloat16: products and activations
# Bytes that a block keeps of a position for the backward pass, for each unit of width, in bfloat16
# with fused attention: counted in the program as traced, of which 48 are GELU's, all kept. A
# compiler that computes those again needs some 34 (Korthikanti et al. 2022, 2205.05198).
_KEPT = 70
# Of a value token, bytes for each token id: odds and logits in float32, their slope in bfloat16.
_LOGITS = 2 * _WIDE + _HALF
# Share of the peak that products are taken to reach.
_USED = 0.4
_NEWTON_SCHULZ_STEPS = 5


@dataclass(frozen=True)
class Device:
    """A device, by its maker's numbers.

    Attributes:
        name: what it is called.
        memory: bytes.
        flops: bfloat16 operations a second, dense.
        wide_flops: the same of float32 products as JAX makes them by default.
        near: bytes a second that it sends to its neighbors in a host or slice.
        far: the same to other hosts.
        neighbors: how many devices are near each other.
    """

    name: str
    memory: float
    flops: float
    wide_flops: float
    near: float
    far: float
    neighbors: int


# NVLink 4: 900 GB/s both ways, so 450 one way; a 400 Gbit/s InfiniBand port for each GPU. TPU v5p:
# about 90 GB/s one way a link, both ways round a ring.
DEVICES = {
    "H100": Device("H100", 80e9, 989e12, 495e12, 450e9, 50e9, 8),
    "H200": Device("H200", 141e9, 989e12, 495e12, 450e9, 50e9, 8),
    "TPU v5p": Device("TPU v5p", 95e9, 459e12, 459e12, 180e9, 180e9, 8960),
}


@dataclass(frozen=True)
class Plan:
    """A training step on paper, in bfloat16.

    Attributes:
        model: its shape.
        mesh: as `--mesh` takes it.
        batch: facts a step.
        time: tokens a fact.
        values: of these, tokens of its value.
        device: of which the mesh is made.
        optimizer: muon or adamw.
    """

    model: TransformerConfig
    mesh: str
    batch: int
    time: int
    values: int
    device: Device
    optimizer: str = "muon"

    @cached_property
    def copies(self) -> int:
        """Size of the data axis."""
        return mesh_sizes(self.mesh)[DATA]

    @cached_property
    def parts(self) -> int:
        """Size of the model axis."""
        return mesh_sizes(self.mesh)[MODEL]

    @property
    def devices(self) -> int:
        """How many."""
        return self.copies * self.parts

    @property
    def block(self) -> int:
        """Parameters in the matrices of a block."""
        return 12 * self.model.width**2

    @property
    def embeddings(self) -> int:
        """Parameters of embedding and readout."""
        return self.model.vocabulary * self.model.width * (1 if self.model.tied else 2)

    @property
    def matrices(self) -> int:
        """Parameters that are divided: all but the scales of norms."""
        return self.model.depth * self.block + self.embeddings

    @property
    def scales(self) -> int:
        """Parameters of the norms, whole on each device."""
        return self.model.parameters - self.matrices

    @property
    def share(self) -> int:
        """Matrices of a kind that a device makes orthogonal."""
        return math.ceil(self.group / self.copies)

    @property
    def group(self) -> int:
        """Matrices of a kind that fall to the devices with one place along `model`."""
        return math.ceil(self.model.depth / self.parts)

    def parameter_bytes(self) -> float:
        """Parameters in float32."""
        return _WIDE * (self.matrices / self.parts + self.scales)

    def optimizer_bytes(self) -> float:
        """Muon keeps one moment of the blocks' matrices, AdamW two of each parameter."""
        muon = self.optimizer == "muon"
        inside = (1 if muon else 2) * self.model.depth * self.block
        return _WIDE * ((inside + 2 * self.embeddings) / self.parts + 2 * self.scales)

    def gradient_bytes(self) -> float:
        """The gradient, and the update made of it."""
        return 2 * self.parameter_bytes()

    def gathered_bytes(self) -> float:
        """Whole parameters: embeddings and two blocks, each with a gradient not yet divided.

        Where nothing is divided, all matrices in bfloat16.
        """
        if self.parts == 1:
            return _HALF * self.matrices
        embeddings = (2 * _WIDE + _HALF) * self.embeddings
        return embeddings + 2 * (_HALF + _WIDE) * self.block

    def muon_bytes(self) -> float:
        """Whole matrices that a device makes orthogonal, of all four kinds at once.

        Gradient, momentum, parameter and result, and two products of the iteration; and what
        is sent to other copies while it is sorted out.
        """
        if self.optimizer != "muon":
            return 0.0
        return _WIDE * (6 * self.share + self.copies * self.share) * self.block

    def activation_bytes(self) -> float:
        """What the forward pass keeps for the backward pass."""
        rows = self.batch / self.devices
        blocks = _KEPT * self.model.width * self.model.depth * rows * (self.time - 1)
        return blocks + _LOGITS * self.model.vocabulary * rows * self.values

    def memory(self) -> float:
        """All of these together."""
        return (
            self.parameter_bytes()
            + self.optimizer_bytes()
            + self.gradient_bytes()
            + self.gathered_bytes()
            + self.muon_bytes()
            + self.activation_bytes()
        )

    def sent_along_model(self) -> float:
        """Sent while parameters are gathered, gradients scattered, and Muon sorts its matrices."""
        blocks = self.model.depth * self.block
        # Blocks are gathered in bfloat16, forward and backward; embeddings once, in float32.
        gathered = 2 * _HALF * blocks + _WIDE * self.embeddings
        scattered = _WIDE * self.matrices
        # Gradient, momentum and parameters go to whole matrices, the update comes back.
        sorted_ = 4 * _WIDE * self.group * self.block if self.optimizer == "muon" else 0
        return (gathered + scattered + sorted_) * (self.parts - 1) / self.parts

    def sent_along_data(self) -> float:
        """Sent while gradients are summed and Muon's updates go to all copies."""
        summed = 2 * _WIDE * self.matrices / self.parts
        updates = _WIDE * self.copies * self.share * self.block if self.optimizer == "muon" else 0
        return (summed + updates) * (self.copies - 1) / self.copies

    def compute_seconds(self) -> float:
        """Of the model's products: 6 operations for each token and parameter."""
        tokens = self.batch * (self.time - 1) / self.devices
        # The readout is needed at values only.
        blocks = 6 * self.model.depth * self.block * tokens
        readout = 6 * self.model.vocabulary * self.model.width * self.batch * self.values
        return (blocks + readout / self.devices) / (_USED * self.device.flops)

    def muon_seconds(self) -> float:
        """Of Newton-Schulz: of r x c, r <= c, X X', its square, and their product with X."""
        if self.optimizer != "muon":
            return 0.0
        width = self.model.width
        step = sum(2 * width**2 * (2 * columns + width) for columns in self._columns())
        flops = self.share * _NEWTON_SCHULZ_STEPS * step
        return flops / (_USED * self.device.wide_flops)

    def _columns(self) -> list[int]:
        return [self.model.width * longer for longer in (1, 3, 4, 4)]

    def model_seconds(self) -> float:
        """Of what is sent along the model axis: consecutive devices, near if few enough."""
        near = self.parts <= self.device.neighbors
        return self.sent_along_model() / (self.device.near if near else self.device.far)

    def data_seconds(self) -> float:
        """Of what is sent along the data axis: near if the whole mesh is."""
        near = self.devices <= self.device.neighbors
        return self.sent_along_data() / (self.device.near if near else self.device.far)

    def limit(self) -> str:
        """What keeps a step from being faster or the batch from being larger."""
        if self.memory() > self.device.memory:
            return "does not fit"
        seconds = {
            "products": self.compute_seconds(),
            "Newton-Schulz": self.muon_seconds(),
            "sending along model": self.model_seconds(),
            "sending along data": self.data_seconds(),
        }
        return max(seconds, key=lambda name: seconds[name])


SHAPES = {
    "124M": TransformerConfig(50_257, 768, 12, 12),
    "1.3B": TransformerConfig(50_257, 2048, 24, 16),
    "7B": TransformerConfig(50_257, 4096, 32, 32),
}
# Facts of 64 tokens, 32 of them the value.
_TIME, _VALUES = 64, 32
_ROWS = [
    ("124M", "data=8", 4096, "H100"),
    ("124M", "data=8", 1024, "H100"),
    ("1.3B", "data=8", 1024, "H100"),
    ("1.3B", "model=8", 2048, "H100"),
    ("1.3B", "data=8,model=8", 8192, "H100"),
    ("7B", "data=8", 512, "H200"),
    ("7B", "model=8", 512, "H100"),
    ("7B", "model=8", 1024, "H200"),
    ("7B", "data=8,model=8", 4096, "H100"),
    ("7B", "data=32,model=8", 8192, "H100"),
    ("7B", "model=64", 4096, "H100"),
    ("7B", "model=16", 1024, "TPU v5p"),
]


def plans() -> list[tuple[str, Plan]]:
    """The rows of the tables in docs/scaling.md: a model's name, and what is planned for it."""
    return [
        (name, Plan(SHAPES[name], mesh, batch, _TIME, _VALUES, DEVICES[device]))
        for name, mesh, batch, device in _ROWS
    ]


def memory_table() -> str:
    """Memory of each plan in GB, as Markdown."""
    lines = [
        "| model | mesh | device | facts a step | parameters | optimizer | gradient, update "
        "| whole | Muon | activations | together | of |",
        "|---" * 12 + "|",
    ]
    for name, plan in plans():
        sizes = [
            plan.parameter_bytes(),
            plan.optimizer_bytes(),
            plan.gradient_bytes(),
            plan.gathered_bytes(),
            plan.muon_bytes(),
            plan.activation_bytes(),
            plan.memory(),
        ]
        cells = " | ".join(f"{size / 1e9:.1f}" for size in sizes)
        lines.append(
            f"| {name} | {plan.mesh} | {plan.device.name} | {plan.batch:,} | {cells} "
            f"| {plan.device.memory / 1e9:.0f} |"
        )
    return "\n".join(lines)


def time_table() -> str:
    """What is sent, in GB, and the milliseconds of each part of a step, as Markdown."""
    lines = [
        "| model | mesh | device | sent along model | along data | ms | ms | products, ms "
        "| Newton-Schulz, ms | limit |",
        "|---" * 10 + "|",
    ]
    for name, plan in plans():
        sent = f"{plan.sent_along_model() / 1e9:.1f} | {plan.sent_along_data() / 1e9:.1f}"
        seconds = [
            plan.model_seconds(),
            plan.data_seconds(),
            plan.compute_seconds(),
            plan.muon_seconds(),
        ]
        cells = " | ".join(f"{1e3 * each:.0f}" for each in seconds)
        lines.append(
            f"| {name} | {plan.mesh} | {plan.device.name} | {sent} | {cells} | {plan.limit()} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(memory_table(), time_table(), sep="\n\n")

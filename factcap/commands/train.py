"""`factcap train`: one model on a fact set."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

from factcap.commands.measure import print_measurement
from factcap.commands.terminal import libraries_on_stderr, progress_bar, say

if TYPE_CHECKING:
    from factcap.models import TransformerConfig


@dataclass(frozen=True)
class Train:
    """Train a transformer on a fact set and measure what it knows.

    Interrupted, the same command goes on from the last saved state.
    """

    file: Positional[Path]
    """A fact set (Parquet)."""
    out: Path
    """The run's directory: new, or that of this run interrupted."""
    model: str | None = None
    """A named size: 8k, 29k, 0.1M, 0.2M, 0.8M, 3.2M, 11M, 25M, gpt2-small (default 29k). The name
    counts all parameters with a vocabulary of 128 token ids; more ids make a larger embedding."""
    width: int | None = None
    """Size of the residual stream; with --depth and --heads instead of --model."""
    depth: int | None = None
    """Number of blocks."""
    heads: int | None = None
    """Attention heads."""
    untied: bool = False
    """Give the readout a matrix of its own instead of that of the embedding."""
    feed_forward: str = "gelu"
    """gelu; gated, a SwiGLU of as many parameters; experts, a mixture; masked, of whose units the
    key chooses some."""
    hidden: int = 0
    """Units of a feed-forward layer, or of one expert; 0 is the usual number."""
    experts: int = 0
    """With --feed-forward experts: how many."""
    active: int = 0
    """With --feed-forward experts: how many a token goes through; with masked: units that stay."""
    mask_reads: str = "key"
    """With --feed-forward masked: the masks are chosen by the whole key, by its first token, say
    that of a domain, or by the rest."""
    weight_bits: int = 0
    """Round all matrices to so many bits wherever they are used, in training too; 0: do not."""
    kept_in: str = "float32"
    """Of parameters, from one step to the next: float32; bfloat16, each the nearest; or
    bfloat16-stochastic, up or down by chance. Moments of the optimizer stay float32."""
    exposures: float = 400.0
    """How often a fact is drawn at the most, on average over the set, or as makes 2,000 steps."""
    all_exposures: bool = False
    """Use all of them, even where the stored bits no longer grow."""
    batch: int = 0
    """Facts a step; 0 follows the size of the set."""
    learning_rate: float = 0.0
    """Peak learning rate; 0 follows width and optimizer."""
    optimizer: str = "muon"
    """muon; adamw; schedule-free-adamw or schedule-free-muon, which average."""
    precision: str = "float32"
    """Of what products multiply, float32 or bfloat16; sums and parameters are float32. auto is
    bfloat16 on a CPU that has instructions for it, which is quicker, and float32 elsewhere."""
    seed: int = 0
    """Of the parameters and of the draws."""
    keep_rate: bool = False
    """Keep the learning rate at its peak to the end, for runs that go on from this one."""
    parent: Path | None = None
    """Go on from the last state of the finished run in this directory: the trunk of a branch."""
    fresh_optimizer: bool = False
    """With --parent: begin with an empty state of the optimizer."""
    fresh_schedule: bool = False
    """With --parent: let the learning rate rise again."""
    select: str | None = None
    """Train on what fits: worth, loss_h, loss_hf, influence, frequency, random, random_flat; or
    deduplicate."""
    budget_bits: float = 0.0
    """With --select: entropy of the facts to keep, in bits; 0 follows from what is stored."""
    select_schedule: str = "repeatedly"
    """once, repeatedly (each tenth of the training) or continuously (each fortieth)."""
    select_first: float = 0.05
    """Share of the training after which it is selected first."""
    uncounted: bool = False
    """Nobody counts how often a fact occurs: worth takes it from the losses."""
    select_rest: float = 0.0
    """Share of the draws that goes to what was dropped: the model stays unsure of it."""
    mesh: str | None = None
    """Divide model and batch over all devices: data=4,model=2 keeps 4 copies on 2 devices each."""
    coordinator: str | None = None
    """host:port of process 0, to train on several hosts; or auto, where the cluster tells."""
    processes: int | None = None
    """How many processes there are; each is given the same command."""
    process: int | None = None
    """The number of this one, from 0."""
    join_seconds: float = 300.0
    """How long to wait for the others."""
    accept_other_code: bool = False
    """Go on with this run where another version of the code has begun it; its outcome says so."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Train, measure, print."""
        from factcap.models.runs.directory.reading import is_finished
        from factcap.synth.errors import require

        require(
            self.coordinator is not None or (self.processes is None and self.process is None),
            "--processes and --process need --coordinator host:port",
        )
        require(
            self.coordinator is None or self.mesh is not None,
            "several processes train one model on a --mesh, say --mesh data=16",
        )
        chosen = (
            *(self.budget_bits, self.select_schedule, self.select_first),
            *(self.uncounted, self.select_rest),
        )
        require(
            self.select is not None or chosen == (0.0, "repeatedly", 0.05, False, 0.0),
            "--budget-bits, --select-schedule, --select-first, --uncounted and --select-rest need "
            "--select SCHEME",
        )
        require(
            self.parent is not None or not (self.fresh_optimizer or self.fresh_schedule),
            "--fresh-optimizer and --fresh-schedule need --parent DIRECTORY",
        )
        if self.mesh is not None:
            from factcap.models.training.devices.mesh import mesh_sizes

            mesh_sizes(self.mesh)

        require(
            not is_finished(self.out),
            f"{self.out} holds a finished run; choose another --out, or read it with "
            "`factcap measure`",
        )
        from factcap.models import (
            Parent,
            SelectConfig,
            TrainConfig,
            TransformerConfig,
            make_mesh,
            model_vocabulary,
            named_size,
            read_outcome,
            run,
        )
        from factcap.models.compiler import keep_compiled
        from factcap.models.instructions import chosen_precision
        from factcap.models.runs.directory.checkpoints import silence_orbax
        from factcap.models.training.devices.hosts import is_first, join
        from factcap.models.transformer.decoder import OPTIONS
        from factcap.synth import load

        keep_compiled()
        silence_orbax()
        select = None
        if self.select is not None:
            select = SelectConfig(
                self.select,
                budget_bits=self.budget_bits,
                schedule=self.select_schedule,
                first=self.select_first,
                counted=not self.uncounted,
                rest=self.select_rest,
            )
        training = TrainConfig(
            exposures=self.exposures,
            batch=self.batch,
            learning_rate=self.learning_rate,
            optimizer=self.optimizer,
            precision=chosen_precision(self.precision),
            saturate=not self.all_exposures,
            seed=self.seed,
            select=select,
        )
        if self.keep_rate:
            training = replace(training, decay=0.0)
        parent = None
        if self.parent is not None:
            words = {True: "fresh", False: "continued"}
            parent = Parent(self.parent, words[self.fresh_optimizer], words[self.fresh_schedule])
        free = (self.width, self.depth, self.heads)
        require(
            all(size is None for size in free)
            or (all(size is not None for size in free) and self.model is None),
            "give either --model NAME, or all of --width, --depth and --heads",
        )
        name = "29k" if self.model is None else self.model
        named_size(name, 1)
        facts = load(self.file)
        vocabulary, tied = model_vocabulary(facts), not self.untied
        if self.width is not None and self.depth is not None and self.heads is not None:
            model = TransformerConfig(vocabulary, self.width, self.depth, self.heads, tied)
        else:
            model = named_size(name, vocabulary, tied=tied)
        model = replace(model, **{option: getattr(self, option) for option in OPTIONS})
        with libraries_on_stderr():
            if self.coordinator is not None:
                join(self.coordinator, self.processes, self.process, self.join_seconds)
            mesh = None if self.mesh is None else make_mesh(self.mesh)
            if is_first():
                for line in size_lines(model):
                    say(line)
            with progress_bar("steps", shown=is_first()) as bar:

                def progress(done: int, total: int, metrics: Any) -> None:
                    bar.total = total
                    bar.set_postfix(bits_per_token=f"{metrics['loss_bits_per_token']:.3f}")
                    bar.update(done - bar.n)

                measurement = run(
                    facts,
                    model,
                    training,
                    self.out,
                    progress=progress,
                    mesh=mesh,
                    accept_other_code=self.accept_other_code,
                    parent=parent,
                )
        if not is_first():
            return
        print_measurement(measurement.summary() | read_outcome(self.out), self.json)


def size_lines(model: "TransformerConfig") -> list[str]:
    """How large the model is, and a warning where its embedding is most of it."""
    embedding, all_of_it = model.embedding_parameters, model.parameters
    lines = [
        f"{all_of_it:,} parameters with {model.vocabulary:,} token ids; "
        f"{all_of_it - embedding:,} without embeddings"
    ]
    if model.active_parameters < all_of_it:
        lines.append(f"{model.active_parameters:,} of them active for a token")
    if 2 * embedding > all_of_it:
        lines.append(
            f"warning: embeddings are {embedding / all_of_it:.0%} of the parameters; compare "
            "models without them, take a larger --model, or facts with fewer token ids"
        )
    return lines

"""A run as a configuration: facts by recipe, model by name or size, how to train."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from factcap.models.instructions import chosen_precision
from factcap.models.runs.directory.reading import but_for_code
from factcap.models.runs.job import Job, identified
from factcap.models.runs.ledger import most_flops
from factcap.models.runs.parent import Parent, check_takes, check_takes_over, identity
from factcap.models.sweep.code import code_today, source_of
from factcap.models.sweep.making import build, transformer
from factcap.models.sweep.recipes import complete, sample
from factcap.models.training.config import TrainConfig
from factcap.models.transformer.decoder import OPTIONS, TransformerConfig, named_size
from factcap.synth import FactSet
from factcap.synth.errors import BadInput, require
from factcap.synth.selection import SelectConfig

_MODEL = ("width", "depth", "heads", "tied", *OPTIONS)
_PARENT = ("parent", "parent_optimizer", "parent_schedule")
_TRAINING: dict[str, Any] = {field.name: field.type for field in dataclasses.fields(TrainConfig)}
_SELECT: dict[str, Any] = {field.name: field.type for field in dataclasses.fields(SelectConfig)}


@dataclass(frozen=True)
class Branch:
    """That a run goes on from another.

    Attributes:
        parent: the other.
        optimizer: see `factcap.models.runs.parent.Parent`.
        schedule: the same.
    """

    parent: "RunSpec"
    optimizer: str = "continued"
    schedule: str = "continued"


@dataclass(frozen=True)
class RunSpec:
    """A run as a configuration, its facts not made yet: it can be named, listed and sent.

    `job` makes its facts; what comes of that is a `factcap.models.Job`.

    Attributes:
        facts: a complete recipe: see `factcap.models.sweep.recipes.complete`.
        model: name of a size, or `width`, `depth`, `heads`, `tied`, and what is unusual of
            `feed_forward`, `hidden`, `experts`, `active`, `mask_reads`, `weight_bits` and
            `kept_in`.
        training: how to train; its defaults may depend on the facts.
        branch: the run that it goes on from, in the same store; None: from nothing.
    """

    facts: Mapping[str, Any]
    model: str | Mapping[str, Any]
    training: TrainConfig
    branch: Branch | None = None

    @cached_property
    def config(self) -> dict[str, Any]:
        """All that decides the run's numbers; `id` is the hash of the rest.

        A file counts by its bytes, wherever it lies.
        """
        recipe = {name: value for name, value in self.facts.items() if name != "file"}
        begun = {}
        if self.branch is not None:
            run = but_for_code(self.branch.parent.config)
            begun["parent"] = identity(run, self.branch.optimizer, self.branch.schedule)
        return identified(
            code_today(source_of({"recipe": recipe})),
            recipe=recipe,
            model=self.model,
            training=dataclasses.asdict(self.training),
            **begun,
        )

    @property
    def parents(self) -> "list[RunSpec]":
        """The runs that must be made before this one, the first first."""
        if self.branch is None:
            return []
        return [*self.branch.parent.parents, self.branch.parent]

    @property
    def id(self) -> str:
        """The run's name in a store."""
        return self.config["id"]

    def label(self) -> str:
        """A few words to show on a terminal."""
        source = Path(self.facts["file"]).name if "file" in self.facts else self.facts["generator"]
        count = self.facts.get("facts") or self.facts.get("people") or self.facts.get("prefix")
        model = self.model if isinstance(self.model, str) else f"width {self.model['width']}"
        select = self.training.select
        scheme = "" if select is None else f" {select.scheme}"
        begun = "" if self.branch is None else f" from {self.branch.parent.id}"
        return f"{source} {count or ''} {model}{scheme} seed {self.training.seed}{begun}"

    def transformer(self, facts: FactSet) -> TransformerConfig:
        """The model for these facts."""
        return transformer(self.model, facts)

    def job(self, directory: Path) -> Job:
        """The run to be made in a directory; its facts are made now.

        Its parent lies beside it, by its name.
        """
        facts, parent = build(self.facts), None
        if self.branch is not None:
            place = directory.parent / self.branch.parent.id
            parent = Parent(place, self.branch.optimizer, self.branch.schedule)
        return Job(
            facts, self.transformer(facts), self.training, directory, self.config, parent=parent
        )

    def most_flops(self) -> float:
        """Floating-point operations of the run if it uses all its exposures; its facts checked.

        Raises:
            BadInput: if facts or model cannot be made.
        """
        few, count = sample(self.facts)
        return most_flops(few, self.transformer(few), self.training, count=count)


def run_spec(config: Any) -> RunSpec:
    """The run of a configuration.

    Args:
        config: a dictionary. `facts`: a recipe or the path of a fact set; `model`: the name of a
            size (29k if it is left out), or a dictionary of `width`, `depth`, `heads` and, if
            wanted, the other fields of `factcap.models.TransformerConfig`; and any field of
            `TrainConfig`, `seed` among them; `select` is the name of a scheme, or a dictionary of
            the fields of `SelectConfig`, and a `precision` of `auto` is the quickest on this
            machine. `parent`: the configuration of the run that it goes on from; then
            `parent_optimizer` and `parent_schedule` may be `fresh` instead of `continued`, see
            `factcap.models.runs.parent.Parent`.

    Raises:
        BadInput: for an unknown name, or a value that cannot be used.

    >>> spec = run_spec({"facts": {"generator": "phonebook", "facts": 100}, "exposures": 50})
    >>> spec.model, spec.training.exposures, spec.facts["digits"]
    ('29k', 50.0, 7)
    """
    require(isinstance(config, Mapping), f"a configuration is a dictionary, not {config!r}")
    unknown = sorted(map(str, set(config) - {"facts", "model", *_PARENT, *_TRAINING}))
    require(
        not unknown,
        f"a configuration has no {', '.join(unknown)}; it has facts, model, "
        f"{', '.join((*_TRAINING, *_PARENT))}",
    )
    require("facts" in config, "a configuration needs facts: a generator's recipe or a file")
    training = {name: config[name] for name in _TRAINING if name in config}
    if "select" in training:
        training["select"] = _select(training["select"])
    for name in set(training) - {"select"}:
        _check_type(name, training[name])
    if "precision" in training:
        training["precision"] = chosen_precision(training["precision"])
    model = _model(config.get("model", "29k"))
    branch = _branch(config, model)
    return RunSpec(complete(config["facts"]), model, TrainConfig(**training), branch)


def _branch(config: Mapping[str, Any], model: str | Mapping[str, Any]) -> Branch | None:
    if config.get("parent") is None:
        given = [name for name in _PARENT[1:] if name in config]
        require(not given, f"{', '.join(given)} need a parent")
        return None
    takes = {name: config.get(name, "continued") for name in _PARENT[1:]}
    for name, value in takes.items():
        check_takes(name, value)
    try:
        parent = run_spec(config["parent"])
    except BadInput as error:
        raise BadInput(f"the parent: {error}") from None
    before, after = (
        named_size(each, 1) if isinstance(each, str) else TransformerConfig(1, **each)
        for each in (parent.model, model)
    )
    check_takes_over(before, after, takes["parent_optimizer"], f"the model {parent.model}")
    return Branch(parent, *takes.values())


def run_specs(configs: Iterable[Any]) -> list[RunSpec]:
    """The runs of some configurations, all of them checked; one given twice counts once.

    Before a run stands the one that it goes on from.

    Raises:
        BadInput: for the first configuration that cannot be used; the message gives its number.
    """
    specs: dict[str, RunSpec] = {}
    for number, config in enumerate(configs):
        try:
            spec = run_spec(config)
        except BadInput as error:
            raise BadInput(f"configuration {number}: {error}") from None
        for each in (*spec.parents, spec):
            specs.setdefault(each.id, each)
    return list(specs.values())


def _select(value: Any) -> SelectConfig | None:
    if value is None:
        return None
    chosen: Any = {"scheme": value} if isinstance(value, str) else value
    require(
        isinstance(chosen, Mapping) and "scheme" in chosen and set(chosen) <= set(_SELECT),
        f"select must be the name of a scheme or give {', '.join(_SELECT)}, not {value!r}",
    )
    for name, part in chosen.items():
        _check_type(name, part, _SELECT)
    return SelectConfig(**chosen)


def _check_type(name: str, value: Any, types: Mapping[str, Any] = _TRAINING) -> None:
    wanted = types[name]
    fits = isinstance(value, int | float if wanted is float else wanted)
    require(
        fits and isinstance(value, bool) == (wanted is bool),
        f"{name} must be of type {wanted.__name__}, not {value!r}",
    )


def _model(model: Any) -> str | dict[str, Any]:
    if isinstance(model, str):
        named_size(model, 1)
        return model
    require(
        isinstance(model, Mapping) and {"width", "depth", "heads"} <= set(model) <= set(_MODEL),
        f"model must be the name of a size, or give width, depth and heads, not {model!r}",
    )
    entry = TransformerConfig(1, **model).entry
    return {name: value for name, value in entry.items() if name != "vocabulary"}

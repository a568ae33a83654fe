"""`factcap predict`: which facts a model will know, said before it is trained."""

import math
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from factcap.commands.terminal import print_json, progress_bar, say

if TYPE_CHECKING:
    from factcap.capacity.retention import CountedFacts
    from factcap.figures.retention.study import Trial


@dataclass(frozen=True)
class Predict:
    """Say which facts a model knows from how often they stand in its corpus; score what is said.

    A file a model: the columns relation, subject_count, object_count, pair_count, documents and
    accuracy, perhaps subject, object, answers and entropy_bits; or a JSON file of the public
    repository yuhui1038/SMI. The file's name is the model's and tells its size, as in pythia-1.4b.
    """

    files: Positional[tuple[Path, ...]]
    """Facts with counts and accuracies: .json, .csv, .tsv, .jsonl or .parquet."""
    splits: tuple[str, ...] = ()
    """What to hold out: facts, objects, relations, models; all that can be unless given."""
    predictors: tuple[str, ...] = ()
    """What to compare: cooccurrence, mi, smi, all_or_nothing, rate_distortion, law, boosting; all
    that can be unless given."""
    size: float | None = None
    """Parameters of a model that is not there, say 70e9: what would it know?"""
    out: Path | None = None
    """A folder for scores.csv and, a row a fact, predictions.parquet."""
    figure: Path | None = None
    """A PNG to draw: predicted against measured, calibration, accuracy against frequency."""
    seed: int = 0
    """Of the folds and the intervals."""
    json: bool = False
    """Print JSON."""

    def run(self) -> None:
        """Read, hold out, fit, score; print, write and draw."""
        from factcap.figures.retention import report, study
        from factcap.figures.retention.inputs import (
            choose_predictors,
            choose_splits,
            read_models,
        )

        self._check()
        several = read_models(self.files)
        splits = choose_splits(several, self.splits)
        predictors = choose_predictors(
            several, self.predictors, boosting=find_spec("sklearn") is not None
        )
        if not self.predictors and "boosting" not in predictors:
            say("boosting, the flexible ceiling, is left out: pip install 'factcap[predict]'")
        beyond = []
        if self.size is not None:
            beyond = study.extrapolate(several, self.size, seed=self.seed)
            if any(len(one.models) == 1 for one in beyond):
                say("one model of a corpus tells nothing of size: its interval is mostly belief")
        with progress_bar("trials", study.count_trials(several, predictors, splits)) as bar:
            done = list(
                study.trials(several, predictors, splits, seed=self.seed, progress=bar.update)
            )
        laws = study.laws(several)
        if self.out is not None:
            report.write_reports(self.out, several, laws, done, beyond)
        if self.figure is not None:
            self._draw(self.figure, several, done)
        if self.json:
            published = study.published_fits(several)
            return print_json(report.as_json(several, laws, done, published, beyond))
        print(report.as_text(several, laws, done, beyond))

    def _draw(self, path: Path, several: "list[CountedFacts]", done: "list[Trial]") -> None:
        from factcap.figures.retention.picture import HeldOut, save_retention

        told = {
            trial.model: trial.predicted
            for trial in done
            if (trial.predictor, trial.split) == ("law", "facts")
        }
        save_retention([HeldOut(facts, told[facts.model]) for facts in several], path)

    def _check(self) -> None:
        from factcap.figures.retention.report import check_folder
        from factcap.synth.errors import require

        require(self.seed >= 0, f"--seed must be at least 0, not {self.seed}")
        if self.size is not None:
            good = math.isfinite(self.size) and self.size >= 2
            require(good, f"--size must be a number of parameters, as in 70e9, not {self.size:g}")
        if self.out is not None:
            check_folder(self.out)
        if self.figure is not None:
            for name, given in (("law", self.predictors), ("facts", self.splits)):
                said = f"--figure shows the law on held-out facts; name {name} too"
                require(not given or name in given, said)
            require(
                self.figure.suffix.lower() == ".png" and self.figure.parent.is_dir(),
                f"--figure must be a .png in a folder that exists, not {self.figure}",
            )

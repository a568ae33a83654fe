"""A fact set as a task for lm-evaluation-harness: the share of facts that a model recalls."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from factcap.models.exchange.folders import check_new, whole_folder
from factcap.models.exchange.spelled import is_text, spelling_of
from factcap.models.exchange.spelling import plain_texts
from factcap.models.transformer.layout import model_vocabulary
from factcap.synth import load
from factcap.synth.errors import require

# A continuation is right for the harness if each of its tokens is the likeliest one, which is our
# recall. Fields of the rows are named without braces: those would be read as templates.
_TASK = """\
task: {name}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {rows}
test_split: test
output_type: loglikelihood
doc_to_text: prompt
doc_to_target: completion
target_delimiter: ""
num_fewshot: 0
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
metadata:
  version: 1
"""


@dataclass(frozen=True)
class ExportedTask:
    """What was written.

    Attributes:
        name: of the task: that of its folder.
        facts: how many there are.
        misspelled: how many of them the tokenizer of an exported run cuts otherwise than the run.
    """

    name: str
    facts: int
    misspelled: int


def export_task(file: str | os.PathLike, out: str | os.PathLike) -> ExportedTask:
    """Write a fact set as a task whose accuracy on an exported run is that of the run.

    The folder gets a YAML file, which names the rows by their full path, and the rows as JSONL.
    It appears whole or not at all. Facts are typed as the tokenizer of an exported run wants them.

    Args:
        file: a fact set (Parquet).
        out: a folder that does not exist yet, or is empty; its name is that of the task.

    Raises:
        BadInput: if the file is no fact set, a fact has no key, the folder is not empty, or its
            name is none for a task; or if a library of the extra `hf` is missing.
    """
    folder = Path(out)
    name = folder.absolute().name
    require(
        re.fullmatch(r"[A-Za-z0-9_-]+", name) is not None,
        f"a task is called as its folder, by letters, digits, - and _; not {name!r}",
    )
    check_new(folder)
    facts = load(file)
    require(
        bool((facts.key_length > 0).all()),
        f"{file} has facts without a key, of which recall is not defined",
    )
    if is_text(facts.origin):
        texts, misspelled = plain_texts(facts), 0
    else:
        spelling = spelling_of(facts.origin, model_vocabulary(facts), facts)
        texts, misspelled = spelling.texts(facts), int(spelling.misspelled(facts).sum())
    keys, values = facts.keys.to_pylist(), facts.values.to_pylist()
    with whole_folder(folder) as partial:
        with (partial / f"{name}.jsonl").open("w", encoding="utf-8", newline="\n") as lines:
            for fact, (prompt, completion) in enumerate(texts):
                row = {
                    "prompt": prompt,
                    "completion": completion,
                    "key": keys[fact],
                    "value": values[fact],
                    "entropy_bits": float(facts.entropy_bits[fact]),
                    "frequency": float(facts.frequency[fact]),
                }
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
        rows = json.dumps(str(folder.absolute() / f"{name}.jsonl"), ensure_ascii=False)
        task = _TASK.format(name=json.dumps(name), rows=rows)
        (partial / f"{name}.yaml").write_text(task, encoding="utf-8")
    return ExportedTask(name, len(facts), misspelled)

"""Predictions: what a student commits to before the measurement is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import marimo as mo

from kit.verdict import Verdict

# marimo centers the label of a form.
_LEFT = "display: block; text-align: left"


@dataclass(frozen=True)
class Given:
    """A value that stands in for a control when a lab runs without a reader.

    Attributes:
        value: as the control would give it.
    """

    value: Any


def predict(
    question: str,
    *,
    default: Any,
    options: Sequence[str] = (),
    span: tuple[float, float, float] | None = None,
) -> Any:
    """Ask for a prediction; its `value` is None until one is given.

    Args:
        question: as Markdown.
        default: what is predicted where nobody is asked: when the lab runs as a script.
        options: to choose one from.
        span: instead of options a slider: (least, most, step).
    """
    if mo.app_meta().mode == "script":
        return Given(default)
    if span is None:
        control = mo.ui.radio(list(options))
    else:
        least, most, step = span
        control = mo.ui.slider(least, most, step, show_value=True, full_width=True)
    return control.form(
        label=f'<span style="{_LEFT}">**Your prediction.** {question}</span>',
        submit_button_label="Predict",
        validate=lambda value: "Choose one first." if value is None else None,
    )


def wait_for(*before: Any) -> None:
    """Stop this cell until every prediction is given and every exercise is right.

    Args:
        before: what `predict` or `check` returned.
    """
    for needed in before:
        if isinstance(needed, Verdict):
            said = f"This waits for exercise {needed.name}."
            mo.stop(not needed.right, mo.md(f"*{said}*"))
        else:
            mo.stop(needed.value is None, mo.md("*This waits for your prediction above.*"))

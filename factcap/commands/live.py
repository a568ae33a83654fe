"""One live line a run on the terminal, and one for all of them."""

import sys
from collections.abc import Mapping
from typing import Any

from factcap.commands.terminal import progress_bar
from factcap.models.sweep.store.store import Store
from factcap.models.sweep.track import Tracker, Tracking
from factcap.models.sweep.watch import Live, Watch

# Of one run; its rate is that of the run, not of this display.
_LINE = "{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} steps{postfix}"

# More lines than these leave no room for anything else.
_MOST_LINES = 16


class LiveBars:
    """The runs at work, a line each: step, loss, stored bits, time left.

    Silent where stderr is not a terminal.

    Args:
        store: where the runs lie.
        labels: what to call each run.
        tracker: where their metrics go, too.
    """

    def __init__(self, store: Store, labels: Mapping[str, str], tracker: Tracker | None = None):
        self._watch = Watch(store, labels)
        self._labels = labels
        self._tracking = None if tracker is None else Tracking(store, tracker)
        self._total = progress_bar("runs", total=len(labels))
        self._bars: dict[str, Any] = {}

    def __enter__(self) -> "LiveBars":
        self.look(now=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.look(now=True)
        for bar in (*self._bars.values(), self._total):
            bar.close()
        if self._tracking is not None:
            self._tracking.close()

    def look(self, *, now: bool = False) -> None:
        """Bring the lines up to date."""
        before = set(self._watch.live)
        if not self._watch.look(now=now):
            return
        live = self._watch.live
        if self._tracking is not None:
            self._tracking.look({*before, *live})
        self._total.update(round(self._watch.finished, 2) - self._total.n)
        for run in [run for run in self._bars if run not in live]:
            self._bars.pop(run).close()
        if not sys.stderr.isatty():
            return
        for run, found in live.items():
            if run not in self._bars and len(self._bars) < _MOST_LINES:
                self._bars[run] = self._line(run, found)
            if run in self._bars:
                _show(self._bars[run], found)

    def _line(self, run: str, found: Live) -> Any:
        taken = {bar.pos for bar in self._bars.values()}
        place = next(place for place in range(1, _MOST_LINES + 2) if -place not in taken)
        bar = progress_bar(
            "steps", total=found.steps, position=place, leave=False, bar_format=_LINE
        )
        bar.set_description(self._labels[run], refresh=False)
        return bar


def _show(bar: Any, found: Live) -> None:
    bar.total = found.steps
    bar.n = found.step
    stored = {} if found.stored_bits is None else {"stored": f"{found.stored_bits:,.0f} bits"}
    left = f"{found.seconds_left:,.0f} s"
    bar.set_postfix(loss=f"{found.loss_bits:.3f}", **stored, left=left, refresh=False)
    bar.refresh()

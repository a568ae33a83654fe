"""A memorized prior in toy inverse problems: from a blurred prior to single training points."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from scipy import special

from factcap.capacity.memorized_prior import (
    effective_modes,
    mixture_posterior,
    mixture_prior,
    takeover_noise,
)
from factcap.figures.files import Record, claim, save
from factcap.figures.style import COLORS, MARKERS, TEXT_WIDTH, line, look

NAME = "memorized_prior"
COLUMNS = ("panel", "series", "noise", "x1", "x2", "exact", "linearized", "without_determinant")
NOISES = (0.07, 0.25, 0.6)
TRUTHS = {"1D": (0.8,), "2D": (0.6, 0.4)}
_POINTS = {"1D": 15, "2D": 60}
_AXES = {"1D": np.linspace(-0.75, 2, 276), "2D": np.linspace(-0.6, 1.64, 57)}
_OBSERVATION_NOISE = 0.3
_TRUTH: dict[str, Any] = {
    **{"color": COLORS[1], "marker": "*", "markersize": 10, "markeredgecolor": "black"},
    "linestyle": "none",
}
_SWEEP = np.geomspace(0.01, 1, 31)


@dataclass(frozen=True)
class _Toy:
    """An inverse problem.

    Attributes:
        points: the training points.
        truth: what the observation y = F(truth) was made from.
        axis: the grid in each dimension, wide enough for the posteriors.
        steps: of the quadrature over one component, in each dimension.
    """

    points: Float64[np.ndarray, "points dimension"]
    truth: Float64[np.ndarray, " dimension"]
    axis: Float64[np.ndarray, " grid"]
    steps: int

    def posterior(self, noise: float):
        """The linearized posterior, and its log-weights as they would be without |S_n|."""
        outputs, jacobian = _forward(self.points), _jacobian(self.points)
        seen = _forward(self.truth)
        found = mixture_posterior(self.points, outputs, jacobian, seen, noise, _OBSERVATION_NOISE)
        # the product of the shrinkages is gamma^m / |S_n|^(1/2)
        return found, special.log_softmax(found.log_weights - np.log(found.shrinkage).sum(axis=1))

    def log_likelihood(self, x):
        """Log of p(y | x), up to a constant."""
        misfit = (_forward(x) - _forward(self.truth)) / _OBSERVATION_NOISE
        return -(misfit**2).sum(axis=-1) / 2

    def exact_weights(self, noise: float):
        """By quadrature over the width of each component."""
        z = _product(np.linspace(-6, 6, self.steps), len(self.truth))
        powers = self.log_likelihood(self.points[:, None] + noise * z) - (z**2).sum(axis=1) / 2
        return special.softmax(special.logsumexp(powers, axis=1))


def _forward(x):
    """F(x): x + 0.3 x^3, or [x1 + 0.3 x1 x2, x2 + 0.2 x1^2]."""
    if x.shape[-1] == 1:
        return x + 0.3 * x**3
    one, two = x[..., 0], x[..., 1]
    return np.stack([one + 0.3 * one * two, two + 0.2 * one**2], axis=-1)


def _jacobian(x):
    """F'(x) at points, one a row."""
    if x.shape[-1] == 1:
        return (1 + 0.9 * x**2)[..., None]
    one, two = x.T
    rows = [[1 + 0.3 * two, 0.3 * one], [0.4 * one, np.ones_like(one)]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _product(axis, dimension: int):
    return np.stack(np.meshgrid(*[axis] * dimension), axis=-1).reshape(-1, dimension)


def memorized_prior(folder: Path) -> list[dict[str, Any]]:
    """Draw `memorized_prior.png` and `.svg` and write `memorized_prior.csv`; returns its rows.

    The last three columns are those of the exact posterior under the mixture prior (by
    quadrature), of `mixture_posterior`, and of that without its determinant (left out in 2D, where
    it is not drawn): densities at x1, x2 (panel `density`), weights of the training points
    (`points`), effective modes of the weights (`posterior`). Panel `prior` has the effective modes
    of omega at x1, x2, which need no linearization.

    Raises:
        BadInput: if something else in the folder has these names.
    """
    record = Record(NAME)
    claim(folder, record)
    rng = np.random.default_rng(17)
    toys = {
        series: _Toy(
            points=rng.normal(size=(_POINTS[series], len(truth))),
            truth=np.array(truth),
            axis=_AXES[series],
            steps=301 if len(truth) == 1 else 61,
        )
        for series, truth in TRUTHS.items()
    }
    rows = _prior_modes(toys["2D"])
    for series, toy in toys.items():
        rows += [row for noise in NOISES for row in _densities(series, toy, noise)]
        rows += [_modes(series, toy, noise) for noise in _SWEEP]
    with look():
        save(draw(rows), rows, COLUMNS, folder, record)
    return rows


def _densities(series: str, toy: _Toy, noise: float) -> list[dict[str, Any]]:
    """Densities on the grid, and the weights."""
    grid = _product(toy.axis, len(toy.truth))
    cell = (toy.axis[1] - toy.axis[0]) ** len(toy.truth)
    logs = mixture_prior(toy.points).log_density(grid, noise) + toy.log_likelihood(grid)
    found, plain = toy.posterior(noise)
    densities = (
        special.softmax(logs) / cell,
        np.exp(found.log_density(grid)),
        np.exp(replace(found, log_weights=plain).log_density(grid))
        if series == "1D"
        else [""] * len(grid),
    )
    weights = (toy.exact_weights(noise), found.weights, np.exp(plain))
    return [
        _row(panel, series, noise, place, values)
        for panel, places, columns in (
            ("density", grid, densities),
            ("points", toy.points, weights),
        )
        for place, *values in zip(places, *columns, strict=True)
    ]


def _modes(series: str, toy: _Toy, noise: float) -> dict[str, Any]:
    found, plain = toy.posterior(noise)
    weights = (toy.exact_weights(noise), found.weights, np.exp(plain))
    return _row("posterior", series, noise, (), [effective_modes(each) for each in weights])


def _prior_modes(toy: _Toy) -> list[dict[str, Any]]:
    """Effective modes of omega, at a training point and away from all."""
    prior = mixture_prior(toy.points)
    nearest = toy.points[np.argmin(((toy.points - toy.truth) ** 2).sum(axis=1))]
    rows = []
    for series, place in (("at a training point", nearest), ("at the truth", toy.truth)):
        for noise in sorted([*_SWEEP, takeover_noise(place, toy.points)]):
            modes = effective_modes(prior.weights(place, noise))
            rows.append(_row("prior", series, noise, place, [modes, "", ""]))
    return rows


def _row(panel, series, noise, place, values) -> dict[str, Any]:
    # four digits are more than can be seen
    numbers = [
        value if isinstance(value, str) else float(f"{value:.4g}")
        for value in (noise, *[*place, "", ""][:2], *values)
    ]
    return dict(zip(COLUMNS, (panel, series, *numbers), strict=True))


def draw(rows: list[dict[str, Any]]) -> Figure:
    """The figure: a row a toy, a column a noise, and effective modes below."""
    figure = Figure(figsize=(TEXT_WIDTH, 6.9), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=(1.9, 1))
    above, below = parts
    axes = above.subplots(2, len(NOISES))
    for column, noise in enumerate(NOISES):
        mine = [row for row in rows if row["noise"] == noise]
        _one(axes[0, column], [row for row in mine if row["series"] == "1D"])
        _two(axes[1, column], [row for row in mine if row["series"] == "2D"])
        axes[0, column].set_title(f"1D, noise of the prior {noise:g}")
        axes[1, column].set_title(f"2D, noise of the prior {noise:g}")
    axes[0, 0].set_ylabel("posterior density of x")
    axes[1, 0].set_ylabel("x2")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    above.legend(handles, labels, loc="outside lower center", ncols=3)
    left, right = below.subplots(1, 2)
    _posterior_panel(left, [row for row in rows if row["panel"] == "posterior"])
    _prior_panel(right, [row for row in rows if row["panel"] == "prior"])
    return figure


def _one(axes: Axes, rows: list[dict[str, Any]]) -> None:
    density = [row for row in rows if row["panel"] == "density"]
    x = _column(density, "x1")
    axes.fill_between(
        x, _column(density, "exact"), color="0.8", linewidth=0, label="exact, by quadrature"
    )
    axes.plot(x, _column(density, "linearized"), **line(0, label="linearized at each point"))
    axes.plot(
        x,
        _column(density, "without_determinant"),
        **line(5, label="without the determinant (1D)"),
    )
    points = [row for row in rows if row["panel"] == "points"]
    axes.plot(
        _column(points, "x1"),
        np.zeros(len(points)),
        "|",
        color="black",
        markersize=8,
        label="training points (dots in 2D)",
    )
    axes.plot(*TRUTHS["1D"], 0.15, **_TRUTH, label="truth", transform=axes.get_xaxis_transform())
    axes.set(xlabel="x", xlim=(x[0], x[-1]))


def _two(axes: Axes, rows: list[dict[str, Any]]) -> None:
    density = [row for row in rows if row["panel"] == "density"]
    axis = np.unique(_column(density, "x1"))
    exact, linearized = (
        np.reshape(_column(density, name), (len(axis), len(axis)))
        for name in ("exact", "linearized")
    )
    levels = np.array([0.03, 0.1, 0.3, 0.6, 0.9]) * exact.max()
    shades = LinearSegmentedColormap.from_list("exact", ["0.93", "0.55"])
    axes.contourf(axis, axis, exact, levels=[*levels, 2 * exact.max()], cmap=shades)
    axes.contour(axis, axis, linearized, levels=levels, colors=COLORS[0], linewidths=1.0)
    points = [row for row in rows if row["panel"] == "points"]
    axes.plot(_column(points, "x1"), _column(points, "x2"), "k.", markersize=2.5)
    axes.plot(*TRUTHS["2D"], **_TRUTH)
    axes.set(xlabel="x1", xlim=(axis[0], axis[-1]), ylim=(axis[0], axis[-1]), aspect="equal")


def _posterior_panel(axes: Axes, rows: list[dict[str, Any]]) -> None:
    for number, series in enumerate(TRUTHS):
        mine = [row for row in rows if row["series"] == series]
        noise = _column(mine, "noise")
        color = COLORS[number]
        axes.plot(noise, _column(mine, "exact"), color=color, linewidth=5, alpha=0.3)
        axes.plot(noise, _column(mine, "linearized"), color=color, label=series)
        axes.plot(noise, _column(mine, "without_determinant"), color=color, linestyle=":")
    styles: dict[str, dict[str, Any]] = {
        "exact": {"linewidth": 5, "alpha": 0.3},
        "linearized": {},
        "without determinant": {"linestyle": ":"},
    }
    for label, style in styles.items():
        axes.plot([], [], color="0.3", label=label, **style)
    axes.set(
        xscale="log",
        xlabel="noise of the prior (sd, units of x)",
        ylabel="effective modes",
        title="Points in the posterior",
    )
    axes.legend()


def _prior_panel(axes: Axes, rows: list[dict[str, Any]]) -> None:
    for number, series in enumerate(dict.fromkeys(row["series"] for row in rows)):
        mine = [row for row in rows if row["series"] == series]
        noise, modes = _column(mine, "noise"), _column(mine, "exact")
        axes.plot(noise, modes, **line(number, label=series))
        taken = np.argmin(np.abs(modes - 1.5))
        axes.plot(noise[taken], modes[taken], MARKERS[number], color=COLORS[number])
    axes.axhline(1.5, color="0.6", linewidth=0.8, label="one point takes over below")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="noise of the prior (sd, units of x)",
        ylabel="effective modes",
        title="Points behind a noisy x, in 2D",
    )
    axes.set_yticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
    axes.minorticks_off()
    axes.legend()


def _column(rows: list[dict[str, Any]], name: str) -> Float64[np.ndarray, " rows"]:
    return np.array([row[name] for row in rows], float)

import marimo

app = marimo.App(app_title="Lab 6: memorization in generative priors")

with app.setup:
    import marimo as mo
    import numpy as np

    from factcap.capacity.memorized_prior import (
        effective_modes,
        empirical_weights,
        linear_posterior,
        memorized_fraction,
        mixture_prior,
        nearest_ratio,
    )
    from factcap.figures.style import COLORS, MARKERS, line
    from factcap.models.diffusion import (
        DenoiserConfig,
        DiffusionTraining,
        Mixture,
        clusters,
        memorized,
        sample,
        saved_bits,
        score_error,
        train_denoiser,
    )
    from kit import attempt, check, near, picture, predict, wait_for


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lab 6: memorization in generative priors

    A diffusion model learns to take noise out of points. From pure noise it then makes new points.
    Are they new? In this lab you

    1. write down the denoiser that fits the training points best, and see what it makes,
    2. find out when a sample counts as a copy,
    3. train small denoisers on more and more points and watch them change from copying to drawing
       new ones, at a number of points that their capacity in bits foretells,
    4. see what a memorized prior does to a measurement.

    *Some 35 minutes. Training takes a minute or two. Needs: labs 1 and 2, and conditional
    expectations. Where a cell asks for your code, replace the `...`.*
    """)
    return


@app.cell(hide_code=True)
def _():
    few_points = mo.ui.slider(2, 100, value=20, label="training points", show_value=True)
    noise_steps = [round(float(step), 2) for step in np.geomspace(0.03, 3, 25)]
    blur = mo.ui.slider(steps=noise_steps, value=noise_steps[18], label="noise", show_value=True)
    mo.vstack(
        [
            mo.md(r"""
            ## 1. The best fit

            Points are drawn from two bumps on a line. Noise of standard deviation $\sigma$ is added
            to them. The training points alone, blurred, look like the true distribution while the
            noise is large. Make it smaller and watch when they part. Do more points help?
            """),
            few_points,
            blur,
        ]
    )
    return blur, few_points


@app.cell(hide_code=True)
def _(blur, few_points):
    _bumps = Mixture(np.full(2, 0.5), np.array([[-1.0], [1.0]]), np.full(2, 0.4))
    _drawn = _bumps.draw(few_points.value, np.random.default_rng(1))
    _x = np.linspace(-4, 4, 1200)[:, None]
    _axes = picture.axes(xlabel="x", ylabel="density of x with noise", xlim=(-4, 4))
    for _number, (_name, _from) in enumerate(
        (("true distribution", _bumps), ("training points, blurred", memorized(_drawn)))
    ):
        _axes.plot(
            _x[:, 0], np.exp(_from.log_density(_x, blur.value)), label=_name, **line(_number)
        )
    _axes.plot(_drawn[:, 0], 0 * _drawn[:, 0], "|", color="0.3", markersize=12, clip_on=False)
    _axes.set_ylim(0, 1.05 * _axes.get_ylim()[1])
    picture.shown(_axes, "Density of the two bumps and of the blurred training points")
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    A denoiser $D(x, \sigma)$ is trained to guess the clean point in $x = x_n + \sigma z$. With the
    squared error the best guess is the conditional mean. If the clean point is one of the $N$
    training points, all equally likely before $x$ is seen,

    $$D(x, \sigma) = \sum_n \omega_n x_n, \qquad
      \omega_n \propto \exp\left( -\frac{|x - x_n|^2}{2 \sigma^2} \right), \qquad
      \sum_n \omega_n = 1.$$
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    **Exercise 6.1.** Write this denoiser: the training points are `points`, an array $N \times d$,
    and `x` is one noisy point of $d$ numbers.
    """)
    return


@app.cell
def _():
    def denoise(x, points, sigma):
        ### BEGIN SOLUTION
        square = np.sum((points - x) ** 2, axis=1)
        share = np.exp(-(square - square.min()) / (2 * sigma**2))
        return share / share.sum() @ points
        ### END SOLUTION

    return (denoise,)


@app.cell(hide_code=True)
def _(denoise):
    _points = np.random.default_rng(2).normal(size=(6, 3))
    _queries = (_points[0] + 0.3, np.zeros(3), _points[1] - 0.5)
    _noises = (0.6, 1.0, 0.4)
    _best = [mixture_prior(_points).denoise(x, s) for x, s in zip(_queries, _noises, strict=True)]
    _cases = list(zip(_queries, _noises, strict=True))
    check_1 = check(
        "6.1",
        attempt(lambda: [denoise(x, _points, s) for x, s in _cases]),
        lambda answer: np.allclose(answer, _best, atol=1e-6),
        hint="One number of points long is the list of weights; it sums to 1. Then take the mean "
        "of the points with these weights.",
        slips=[
            (
                lambda answer: np.allclose(
                    answer,
                    [_points[np.argmin(((_points - x) ** 2).sum(axis=1))] for x, _ in _cases],
                ),
                "This is the nearest point. The others count, too, as long as there is noise.",
            ),
            (
                lambda answer: np.allclose(
                    answer,
                    [mixture_prior(_points).denoise(x, s / 2**0.5) for x, s in _cases],
                    atol=1e-6,
                ),
                "Look at the exponent again: a factor is missing.",
            ),
            (
                lambda answer: np.allclose(answer, [_points.mean(axis=0)] * 3, atol=1e-6),
                "All points count alike here, wherever x is.",
            ),
        ],
        praise="No network can have a smaller loss on these points.",
    )
    check_1
    return


@app.cell(hide_code=True)
def _():
    predicted_copies = predict(
        "From now on points lie in 8 dimensions, in four clusters. Suppose a network so large, and "
        "trained so long, that its loss on 1,000 training points is the least possible. Which "
        "share of its samples are copies of training points?",
        options=["hardly any: 1,000 points are enough", "about half", "nearly all"],
        default="hardly any: 1,000 points are enough",
    )
    predicted_copies
    return (predicted_copies,)


@app.cell(hide_code=True)
def _(predicted_copies):
    wait_for(predicted_copies)
    import jax

    DIMENSION = 8
    true = clusters(4, DIMENSION, spread=0.5, seed=0)
    pool = true.draw(4096, np.random.default_rng(0))
    fresh = true.draw(2000, np.random.default_rng(9))

    def copied(denoiser, count):
        """The share of 1,000 samples that copy one of the first `count` training points."""
        samples = sample(denoiser, 1000, DIMENSION, jax.random.key(1))
        return memorized_fraction(samples, pool[:count]), samples

    best_copies = {n: copied(memorized(pool[:n]).denoiser(), n)[0] for n in (10, 100, 1000)}
    return DIMENSION, best_copies, copied, fresh, jax, pool, true


@app.cell(hide_code=True)
def _(best_copies, fresh, pool, predicted_copies):
    _rows = [
        f"| {n:,} | **{share:.0%}** | {memorized_fraction(fresh, pool[:n]):.1%} |"
        for n, share in best_copies.items()
    ]
    _table = "\n".join(
        [
            "| training points | copies among samples | fresh points that count as copies |",
            "|---|---|---|",
            *_rows,
        ]
    )
    mo.vstack(
        [
            mo.md(_table),
            mo.md(f"""
            You said: *{predicted_copies.value}*. These are sampled with the formula of 6.1. It goes
            from noise to a training point, whatever their number. So a diffusion model that makes
            new points does so *because it does not minimize its loss*. What keeps it from doing so
            is that it cannot hold all points.
            """),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## 2. When is a sample a copy?

    A sample counts as a copy here if its nearest training point is *three times nearer* than the
    second nearest. Some fresh points pass this test by chance. How many depends on the dimension.

    Let training points lie evenly around a fresh point, at $r_1 \le r_2 \le \dots$ from it. A ball
    of radius $r$ has a volume that grows as $r^d$. The volume inside $r_1$ is a uniformly
    distributed part of the volume inside $r_2$: the nearest point could be anywhere in there.
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    **Exercise 6.2.** What is the probability that $r_1 / r_2$ is below a threshold, in $d$
    dimensions?
    """)
    return


@app.cell
def _():
    def by_chance(d, threshold):
        ### BEGIN SOLUTION
        return threshold**d
        ### END SOLUTION

    return (by_chance,)


@app.cell(hide_code=True)
def _(by_chance):
    _cases = ((1, 1 / 3), (2, 1 / 3), (3, 1 / 2), (8, 0.9))
    check_2 = check(
        "6.2",
        attempt(lambda: [by_chance(*case) for case in _cases]),
        lambda answer: np.allclose(answer, [t**d for d, t in _cases], rtol=1e-3),
        hint="On a line it is the threshold itself. Which share of the disk of radius 1 lies "
        "within 1/3 of its middle?",
        slips=[
            (
                lambda answer: np.allclose(answer, [t for _, t in _cases]),
                "That is right on a line. In a plane areas count, not lengths.",
            ),
            (
                lambda answer: np.allclose(answer, [t ** (1 / d) for d, t in _cases]),
                "The other way round: the more dimensions, the smaller the inner ball.",
            ),
        ],
        praise="With a third: 11 % in the plane, one in 6,561 in 8 dimensions.",
    )
    check_2
    return (check_2,)


@app.cell(hide_code=True)
def _(by_chance, check_2):
    wait_for(check_2)
    _rng, _dimensions = np.random.default_rng(4), (1, 2, 3, 4, 5, 6)
    _found = [
        np.mean(nearest_ratio(_rng.random((2000, d)), _rng.random((500, d))) < 1 / 3)
        for d in _dimensions
    ]
    _axes = picture.axes(xlabel="dimensions", ylabel="counted as copies by chance", yscale="log")
    _axes.plot(
        _dimensions, [by_chance(d, 1 / 3) for d in _dimensions], label="your formula", **line(0)
    )
    _axes.plot(_dimensions, _found, MARKERS[1], color=COLORS[1], label="2,000 fresh points")
    mo.vstack(
        [
            picture.shown(_axes, "Fresh points that count as copies: fewer with each dimension"),
            mo.md("""
            In few dimensions the test cries wolf. In 8 hardly a fresh point passes it: what passes
            is a copy. A test for memorization needs its false alarms told beside it.
            """),
        ]
    )
    return


@app.cell(hide_code=True)
def _(DIMENSION):
    shape = DenoiserConfig(DIMENSION, width=48, depth=3)
    return (shape,)


@app.cell(hide_code=True)
def _(shape):
    predicted_half = predict(
        f"Now a real network, of {shape.parameters:,} parameters, is trained on N points of those "
        "8 dimensions. With few points it copies. From which N on is less than half of its samples "
        "a copy?",
        options=["N = 50", "N = 500", "N = 5,000"],
        default="N = 5,000",
    )
    mo.vstack([mo.md("## 3. From copying to drawing"), predicted_half])
    return (predicted_half,)


@app.cell(hide_code=True)
def _(copied, fresh, jax, pool, predicted_half, shape, true):
    wait_for(predicted_half)
    counts = (8, 16, 32, 64, 128, 256, 512, 1024)

    def trained(count):
        """A network trained on so many points, and what is measured of it."""
        points, key = pool[:count], jax.random.key(2)
        network = train_denoiser(points, shape, DiffusionTraining(steps=8000, batch=256), seed=0)
        share, samples = copied(network, count)
        return {
            "copies": share,
            "samples": samples,
            "stored": count * saved_bits(network, true.denoiser(), points, key).mean,
            "all": count
            * saved_bits(memorized(points).denoiser(), true.denoiser(), points, key).mean,
            "error": score_error(network, true.denoiser(), fresh, 0.3, key),
        }

    networks = {
        n: trained(n) for n in mo.status.progress_bar(counts, title="Training", remove_on_exit=True)
    }
    return counts, networks


@app.cell(hide_code=True)
def _(counts, networks):
    _axes = picture.axes(
        xscale="log", xlabel="training points", ylabel="copies among samples", ylim=(-0.03, 1.03)
    )
    _axes.set_xticks(counts, [f"{n:,}" for n in counts])
    _axes.minorticks_off()
    _axes.plot(
        counts,
        [networks[n]["copies"] for n in counts],
        marker=MARKERS[0],
        label="trained networks",
        **line(0),
    )
    _axes.plot(counts, [1.0] * len(counts), label="best fit of the points (6.1)", **line(1))
    picture.shown(_axes, "The share of copies falls from nearly 1 at 8 points to 0 at 512")
    return


@app.cell(hide_code=True)
def _(counts):
    shown_count = mo.ui.slider(steps=counts, value=8, label="training points", show_value=True)
    mo.vstack(
        [
            mo.md(
                "Look at the samples themselves, in two of the 8 dimensions. Move from few points "
                "to many."
            ),
            shown_count,
        ]
    )
    return (shown_count,)


@app.cell(hide_code=True)
def _(fresh, networks, pool, shown_count):
    _axes = picture.axes(height=3.8, xlim=(-3.4, 3.4), ylim=(-3.4, 3.4), aspect="equal")
    _axes.plot(*fresh[:1000, :2].T, ".", color="0.85", label="true distribution", zorder=1)
    _axes.plot(
        *networks[shown_count.value]["samples"][:200, :2].T,
        MARKERS[0],
        color=COLORS[0],
        markersize=3.5,
        label="200 samples",
    )
    _axes.plot(
        *pool[: min(shown_count.value, 256), :2].T,
        "x",
        color=COLORS[5],
        label="training points",
    )
    picture.shown(
        _axes, "Samples lie on the training points if these are few, between them if many"
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    Why there? Count bits. To know a training point at a resolution of 0.05, beyond what the true
    distribution says of every point, takes some twenty bits. That is the counterpart of the $H$ of
    a fact. Two numbers were measured of each network: the bits it *stores* of all its training
    points, and *all* there are to store of them. The table has a third: how far its denoiser is
    from that of the true distribution, where 0 is exact and 1 as wrong as no denoiser at all.
    """)
    return


@app.cell(hide_code=True)
def _(counts, networks):
    stored_bits = [networks[n]["stored"] for n in counts]
    all_bits = [networks[n]["all"] for n in counts]
    _axes = picture.axes(
        xscale="log",
        xlabel="training points",
        ylabel="bits, of all points",
        ylim=(0, 1.2 * max(stored_bits)),
    )
    _axes.set_xticks(counts, [f"{n:,}" for n in counts])
    _axes.minorticks_off()
    _axes.plot(counts, stored_bits, marker=MARKERS[0], label="stored", **line(0))
    _axes.plot(counts, all_bits, label="all there is to store", **line(2))
    mo.vstack(
        [
            picture.shown(_axes, "Stored bits rise with the points, reach a most, and fall again"),
            mo.md(
                "\n".join(
                    [
                        "| training points | stored | all | error of the denoiser |",
                        "|---|---|---|---|",
                        *(
                            f"| {n:,} | {networks[n]['stored']:,.0f} | {networks[n]['all']:,.0f} "
                            f"| {networks[n]['error']:.2f} |"
                            for n in counts
                        ),
                    ]
                )
            ),
        ]
    )
    return all_bits, stored_bits


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    **Exercise 6.3.** At how many points does all there is to store just fill the most that a
    network stored? Between the points measured take log(bits) as a straight line in log(points):
    `np.interp`. The arguments are lists, in the order of the table.
    """)
    return


@app.cell
def _():
    def full_at(points, stored, everything):
        ### BEGIN SOLUTION
        return np.exp(np.interp(np.log(max(stored)), np.log(everything), np.log(points)))
        ### END SOLUTION

    return (full_at,)


@app.cell(hide_code=True)
def _(full_at):
    _points, _all = [10, 100, 1000, 10_000], [200.0, 1000.0, 2000.0, 4000.0]
    _stored = [190.0, 700.0, 1500.0, 900.0]
    check_3 = check(
        "6.3",
        attempt(full_at, _points, _stored, _all),
        near(float(np.exp(np.interp(np.log(1500), np.log(_all), np.log(_points)))), 0.02),
        hint="Take the highest point of the stored bits. Go from there to the left, at the same "
        "height, until you meet the other line.",
        slips=[
            (near(1000), "There the most is stored, but not all there is."),
            (
                near(float(np.interp(1500, _all, _points)), 0.02),
                "Nearly. You have drawn the straight line in bits and points, not in their "
                "logarithms.",
            ),
        ],
        praise="",
    )
    check_3
    return (check_3,)


@app.cell(hide_code=True)
def _(all_bits, check_3, counts, full_at, networks, predicted_half, shape, stored_bits):
    wait_for(check_3)
    _full = float(full_at(counts, stored_bits, all_bits))
    _half = np.exp(
        np.interp(-0.5, [-networks[n]["copies"] for n in counts], np.log(np.array(counts)))
    )
    mo.md(f"""
    The network stores at most **{max(stored_bits):,.0f} bits**,
    {max(stored_bits) / shape.parameters:.2f} for each of its parameters. It is full at
    **{_full:.0f} points**. Half of its samples are copies at **{_half:.0f} points**; you said
    {predicted_half.value}.

    Beyond, something else happens than in a table of facts. The points have a rule behind them,
    their distribution, and it costs the same bits however many points there are. A full network
    gives up points and takes the rule: stored bits *fall*, and the error of its denoiser falls with
    them, to {networks[1024]["error"]:.2f} at 1,024 points. What looks like learning to generalize
    begins with running out of room to memorize. Lab 5 has the same two things side by side.
    """)
    return


@app.cell(hide_code=True)
def _():
    predicted_instrument = predict(
        "You measure 2 of the 8 coordinates of a **new** point, with noise, and let a model that "
        "has memorized 64 points reconstruct all 8. Then you buy better and better instruments, "
        "with less and less noise. What does the error of the reconstruction do?",
        options=["it falls all the way", "it falls and then stays", "it falls and then rises"],
        default="it falls and then stays",
    )
    mo.vstack(
        [
            mo.md(r"""
            ## 4. A memorized prior meets a measurement

            Generative models are used as priors: they fill in what an instrument does not see. A
            model that has memorized its points believes that the world consists of these points.
            For a measurement $y = F(x) + \gamma z$ its posterior gives each of them a weight,
            $w_n \propto \exp(-|y - F(x_n)|^2 / (2 \gamma^2))$, and nothing to any other point.
            """),
            predicted_instrument,
        ]
    )
    return (predicted_instrument,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    **Exercise 6.4.** How uncertain does such a posterior say it is? The `weights` ($N$) sum to 1,
    `points` are $N \times d$. Return the root of the mean, over the $d$ coordinates, of the
    variance of each.
    """)
    return


@app.cell
def _():
    def claimed_spread(weights, points):
        ### BEGIN SOLUTION
        mean = weights @ points
        return np.sqrt(np.mean(weights @ (points - mean) ** 2))
        ### END SOLUTION

    return (claimed_spread,)


@app.cell(hide_code=True)
def _(claimed_spread):
    _points = np.random.default_rng(6).normal(size=(5, 3))
    _weights = [np.array([1.0, 0, 0, 0, 0]), np.full(5, 0.2), np.array([0.5, 0.3, 0.1, 0.1, 0])]
    _variance = np.array([np.mean(w @ (_points - w @ _points) ** 2) for w in _weights])
    check_4 = check(
        "6.4",
        attempt(lambda: [claimed_spread(w, _points) for w in _weights]),
        lambda answer: np.allclose(answer, np.sqrt(_variance), atol=1e-6),
        hint="Where one point has all the weight the spread is 0. The mean is that of the "
        "posterior: every sum over points takes its weights.",
        slips=[
            (
                lambda answer: np.allclose(answer, _variance, atol=1e-6),
                "This is the variance. Take the root.",
            ),
            (
                lambda answer: np.allclose(
                    answer, [np.sqrt(np.mean(np.var(_points, axis=0)))] * 3, atol=1e-6
                ),
                "All points count alike here, whatever their weight.",
            ),
        ],
    )
    check_4
    return (check_4,)


@app.cell(hide_code=True)
def _(DIMENSION, check_4, claimed_spread, fresh, pool, predicted_instrument, true):
    wait_for(predicted_instrument, check_4)
    instruments = np.geomspace(0.05, 2, 9)
    _seen = np.eye(DIMENSION)[:2]
    _known, _new = pool[:64], fresh[:200]
    _noise = np.random.default_rng(3).normal(size=(len(_new), 2))

    def reconstructed(gamma):
        """Error, claimed spread and effective modes of both posteriors, over 200 new points."""
        errors, spreads, modes = [], [], []
        for point, drawn in zip(_new, _noise, strict=True):
            y = _seen @ point + gamma * drawn
            weights = empirical_weights(_known @ _seen.T, y, gamma)
            right = linear_posterior(true.centers, _seen, y, 0.5, gamma).mean()
            errors.append([np.mean((m - point) ** 2) for m in (weights @ _known, right)])
            spreads.append(claimed_spread(weights, _known) ** 2)
            modes.append(effective_modes(weights))
        return [*np.sqrt(np.mean(errors, axis=0)), np.sqrt(np.mean(spreads)), np.mean(modes)]

    of_instruments = np.array([reconstructed(gamma) for gamma in instruments])
    return instruments, of_instruments


@app.cell(hide_code=True)
def _(instruments, of_instruments, predicted_instrument):
    _axes = picture.axes(
        height=3.7,
        xscale="log",
        xlabel="noise of the instrument",
        ylabel="error, a coordinate",
        ylim=(0, 1.1),
    )
    _axes.set_xticks([0.05, 0.1, 0.2, 0.5, 1, 2], ["0.05", "0.1", "0.2", "0.5", "1", "2"])
    _axes.minorticks_off()
    for _number, _name in enumerate(
        (
            "error of the memorized prior",
            "error of the true prior",
            "error that the memorized prior claims",
        )
    ):
        _axes.plot(
            instruments,
            of_instruments[:, _number],
            marker=MARKERS[_number],
            label=_name,
            **line(_number),
        )
    mo.vstack(
        [
            picture.shown(
                _axes, "With less noise the memorized prior claims less error and makes more"
            ),
            mo.md(f"""
            You said: *{predicted_instrument.value}*. Read it from right to left. With the true
            prior a better instrument never hurts. With the memorized one the error has its least
            at a noise of {instruments[of_instruments[:, 0].argmin()]:.1f}; then the posterior
            picks, ever more surely, the one training point that happens to fit the two coordinates
            seen, and takes the other six from it. At a noise of {instruments[0]:.2f} there are
            {of_instruments[0, 3]:.1f} points left that count. It claims to be
            {of_instruments[0, 2]:.2f} off and is {of_instruments[0, 0]:.2f} off.

            **To think about.** Which of the two curves of the memorized prior could you measure if
            you did not know the truth?
            """),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    ### TEACHER
    mo.md(r"""
    ## For the teacher

    - **First prediction.** Nearly all say that 1,000 points are enough. The least loss belongs to
      one function, that of 6.1, and this function copies. A good moment to ask what a validation
      loss would show.
    - **6.2** The hint helps most: areas of disks.
    - **Second prediction.** Votes follow the number of parameters. The network has some 6,000 of
      them and copies up to some 60 points, since a point of 8 numbers is some 20 bits and a
      parameter holds about 0.3 bits here. Longer training makes little of it:
      `factcap figure diffusion_transition` trains much longer and finds 0.31.
    - **Stored bits fall** from the most on. They can fall below 0: then the network describes its
      training points worse than the true distribution does.
    - **Third prediction.** *It falls and then rises.* The posterior of a memorized prior is sure of
      the wrong thing. Ask for the number of modes at the smallest noise.
    - **The last question.** Only what it claims. That is why one asks whether a prior
      has memorized.
    """)
    return


if __name__ == "__main__":
    app.run()

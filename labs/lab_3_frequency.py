import marimo

app = marimo.App(app_title="Lab 3: frequency")

with app.setup:
    import dataclasses

    import marimo as mo
    import numpy as np

    from factcap.capacity import all_or_nothing_bound
    from factcap.figures.style import MARKERS, line
    from factcap.synth import cities, power_law
    from kit import Training, attempt, between, check, near, picture, predict, train_all, wait_for


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lab 3: frequency

    Some facts are met every day, others once in a life. In texts the fact of rank $i$ is met about
    in proportion to $i^{-s}$, a **power law**. With $s = 0$ all facts are met equally often. In
    large corpora $s$ is close to 1.

    You train models on facts of different $s$. You find two reasons why rare facts are lost, and a
    remedy against one of them.

    *Some 35 minutes. Training takes a minute or two. Needs: lab 2.*
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md("## 1. Power laws")
    return


@app.cell(hide_code=True)
def _():
    exponent = mo.ui.slider(0, 2, 0.1, value=1, label="exponent s", show_value=True)
    exponent
    return (exponent,)


@app.cell(hide_code=True)
def _(exponent):
    _drawn = picture.axes(
        xlabel="rank of the fact", ylabel="frequency", xscale="log", yscale="log", ylim=(1e-7, 1)
    )
    _rank = np.arange(1, 1601)
    for _number, _s in enumerate((0.0, exponent.value)):
        _drawn.plot(_rank, power_law(1600, _s), **line(_number), label=f"s = {_s:g}")
    _half = int(np.searchsorted(np.cumsum(power_law(1600, exponent.value)), 0.5)) + 1
    mo.vstack(
        [
            picture.shown(_drawn, "Frequency against rank: a straight line that falls with s."),
            mo.md(f"The {_half} most frequent of 1,600 facts get half of all questions."),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    **Exercise 3.1.** Of 1,600 facts with $s = 1$: what share of all questions is about the 160 most
    frequent ones? `power_law(1600, 1.0)` gives the frequencies, the largest first.
    """)
    return


@app.cell
def _():
    # A share between 0 and 1.
    ### BEGIN SOLUTION
    top_share = power_law(1600, 1.0)[:160].sum()
    ### END SOLUTION
    return (top_share,)


@app.cell(hide_code=True)
def _(top_share):
    _share = power_law(1600, 1.0)[:160].sum()
    check_1 = check(
        "3.1",
        top_share,
        near(_share),
        hint="Sum the first 160 frequencies. All of them sum to 1.",
        slips=[
            (near(0.1), "So it would be with s = 0."),
            (near(power_law(160, 1.0)[:16].sum()), "That is of 160 facts. There are 1,600."),
            (near(1 - _share), "That is what the others get."),
            (near(100 * _share), "As a share, not in percent."),
        ],
        praise="A tenth of the facts gets more than two thirds of the questions.",
    )
    check_1
    return (check_1,)


@app.cell(hide_code=True)
def _():
    mo.md("""
    **Exercise 3.2.** A training draws 240,000 facts by these frequencies. How often does the model
    meet the rarest of the 1,600? These are its **exposures**.
    """)
    return


@app.cell
def _():
    # On average.
    ### BEGIN SOLUTION
    rarest = 240_000 * power_law(1600, 1.0)[-1]
    ### END SOLUTION
    return (rarest,)


@app.cell(hide_code=True)
def _(rarest):
    _frequency = power_law(1600, 1.0)
    check_2 = check(
        "3.2",
        rarest,
        near(240_000 * _frequency[-1]),
        hint="Draws, times the frequency of the last fact.",
        slips=[
            (near(150), "So often if all facts were drawn equally often."),
            (near(240_000 * _frequency[0]), "That is the most frequent one."),
        ],
        praise="The most frequent one is met 30,000 times.",
    )
    check_2
    return (check_2,)


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## 2. Twice as many facts as fit

    Four models are trained on 1,600 cities each, with $s$ of 0, 0.5, 1 and 1.5. From lab 2 you know
    that some 800 fit, and that with $s = 0$ the model spreads its bits.
    """)
    return


@app.cell(hide_code=True)
def _():
    most_facts = predict(
        "Which of the four models knows the most facts, each fact counted once?",
        options=["s = 0", "s = 0.5", "s = 1", "s = 1.5"],
        default="s = 0",
    )
    most_facts
    return (most_facts,)


@app.cell
def _(most_facts):
    wait_for(most_facts)
    _crowded = {
        s: cities(1600, frequency="power_law", exponent=s, longest_key=5)
        for s in (0.0, 0.5, 1.0, 1.5)
    }
    roomy = cities(400, frequency="power_law", exponent=1.5, longest_key=5)
    _trainings = {s: Training(facts) for s, facts in _crowded.items()}
    runs = train_all({**_trainings, "roomy": Training(roomy)}, draws=240_000)
    return roomy, runs


@app.cell(hide_code=True)
def _(most_facts, runs):
    _crowded = {s: run for s, run in runs.items() if s != "roomy"}
    _rows = "\n".join(
        f"| {s:g} | {run.facts_known} | {run.stored_bits:,.0f} |" for s, run in _crowded.items()
    )
    _drawn = picture.axes(xlabel="rank of the fact", ylabel="share known", xscale="log")
    for _number, (_s, _run) in enumerate(_crowded.items()):
        _ends = np.unique(np.geomspace(1, 1600, 12).round().astype(int))
        _known = np.cumsum(_run.recall)
        _shares = np.diff(_known[_ends - 1], prepend=0) / np.diff(_ends, prepend=0)
        _drawn.plot(_ends, _shares, **line(_number), marker=MARKERS[_number], label=f"s = {_s:g}")
    mo.vstack(
        [
            mo.md(f"| s | facts known | bits stored |\n|---|---|---|\n{_rows}"),
            picture.shown(_drawn, "Share of facts known against rank, for each exponent."),
            mo.md(
                f"You said {most_facts.value}. A little skew **helps**: frequent facts pull "
                "first and win the bits, so some facts are known whole. With more skew the model "
                "meets the rare ones so seldom that it stores fewer bits at all."
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    **Exercise 3.3.** A user asks for facts as often as they occur. Write the **weighted
    accuracy**: the share of questions that are answered. `recall` says of each fact whether it is
    known.
    """)
    return


@app.cell
def _():
    def weighted_accuracy(recall, frequency):
        ### BEGIN SOLUTION
        return frequency[recall].sum()
        ### END SOLUTION

    return (weighted_accuracy,)


@app.cell(hide_code=True)
def _(weighted_accuracy):
    _recall, _frequency = np.array([True, False, True]), np.array([0.5, 0.3, 0.2])
    check_3 = check(
        "3.3",
        attempt(weighted_accuracy, _recall, _frequency),
        near(0.7),
        hint="Add the frequencies of the facts that are known.",
        slips=[
            (near(2 / 3), "So each fact counts as much as another. Frequent ones count for more."),
            (near(0.3), "That is the share that is not answered."),
            (near(0.7 / 3), "The frequencies sum to 1 already: a sum, not a mean."),
            (near(2), "That is the number of facts that are known."),
        ],
    )
    check_3
    return (check_3,)


@app.cell(hide_code=True)
def _(check_3, runs, weighted_accuracy):
    wait_for(check_3)
    _drawn = picture.axes(xlabel="exponent s", ylabel="share of questions answered", ylim=(0, 1.05))
    _exponents = np.linspace(0, 1.6, 17).tolist()
    _bound = [all_or_nothing_bound(power_law(1600, s), 2**21, 16_800).accuracy for s in _exponents]
    _crowded = {s: run for s, run in runs.items() if s != "roomy"}
    _answered = [weighted_accuracy(run.recall, run.frequency) for run in _crowded.values()]
    _drawn.plot(_exponents, _bound, color="0.6", label="bound: the most frequent facts that fit")
    _drawn.plot(list(_crowded), _answered, **line(0), marker="o", label="measured")
    mo.vstack(
        [
            picture.shown(
                _drawn, "Weighted accuracy and its bound, both rising with the exponent."
            ),
            mo.md(
                "The steeper the law, the more questions a few facts answer. Both lines rise. "
                "The gap is what a better choice of facts could win. Lab 4 is about that."
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## 3. Where there is room for all

    So rare facts are lost because frequent ones take the room. Is that the only reason? A fifth
    model was trained on 400 cities with $s = 1.5$. They need half of its capacity.
    """)
    return


@app.cell(hide_code=True)
def _():
    roomy_known = predict(
        "How many of the 400 cities does it know after the same 240,000 draws?",
        span=(0, 400, 10),
        default=400,
    )
    roomy_known
    return (roomy_known,)


@app.cell(hide_code=True)
def _(roomy, roomy_known, runs):
    wait_for(roomy_known)
    _drawn = picture.axes(xlabel="exposures of the fact", ylabel="share known", xscale="log")
    _groups = np.array_split(np.arange(400), 20)
    _exposures = [240_000 * roomy.frequency[group].mean() for group in _groups]
    _shares = [runs["roomy"].recall[group].mean() for group in _groups]
    _drawn.plot(_exposures, _shares, **line(0), marker="o")
    _drawn.axhline(0.5, color="0.6", linewidth=1)
    mo.vstack(
        [
            picture.shown(
                _drawn, "Share of facts known against exposures: rare ones are not known."
            ),
            mo.md(
                f"You said {roomy_known.value}. It knows **{runs['roomy'].facts_known}**. Each "
                "point stands for 20 cities. A fact that is met too seldom is not known, though "
                "there is room for it."
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    **Exercise 3.4.** Read from the picture: from how many exposures on does this model know more
    than half of the facts?
    """)
    return


@app.cell
def _(roomy, runs):
    # A number of exposures.
    ### BEGIN SOLUTION
    _in_twenties = runs["roomy"].recall.reshape(20, 20).mean(axis=1)
    _last = np.flatnonzero(_in_twenties > 0.5).max()
    enough = 240_000 * roomy.frequency[20 * _last + 10]
    ### END SOLUTION
    return (enough,)


@app.cell(hide_code=True)
def _(enough, roomy, runs):
    _exposures = 240_000 * roomy.frequency
    _half = float(_exposures[max(int(runs["roomy"].recall.sum()) - 1, 0)])
    check_4 = check(
        "3.4",
        enough,
        between(_half / 1.7, _half * 1.7),
        hint="Follow the gray line at one half to the curve, and read below it. Each large mark "
        "is a power of ten.",
        slips=[
            (between(0, _half / 1.7), "There fewer than half are known."),
            (between(100, 1000), "There nearly all are known. The curve crosses one half before."),
        ],
        praise="Allen-Zhu and Li (2024) find 1 bit a parameter at 100 exposures, 2 at 1,000.",
    )
    check_4
    return (check_4,)


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## 4. A remedy

    **Exercise 3.5.** You may choose how often each fact is drawn. The number of draws stays as it
    is, and the questions come as before. Change the frequencies so that more questions are
    answered.
    """)
    return


@app.cell
def _():
    def drawn(frequency):
        # Return a weight for each fact; the training makes them sum to 1.
        ### BEGIN SOLUTION
        return np.sqrt(frequency)
        ### END SOLUTION

    return (drawn,)


@app.cell
def _(drawn, roomy, roomy_known):
    wait_for(roomy_known)
    _weights = attempt(drawn, roomy.frequency)
    if isinstance(_weights, np.ndarray) and _weights.shape == roomy.frequency.shape:
        _changed = dataclasses.replace(roomy, frequency=_weights / _weights.sum())
        own_run = train_all({"own": Training(_changed)}, draws=240_000)["own"]
    else:
        own_run = _weights
    return (own_run,)


@app.cell(hide_code=True)
def _(own_run, roomy, runs):
    def _answered(run):
        return float(roomy.frequency[run.recall].sum())

    _before = _answered(runs["roomy"])
    check_5 = check(
        "3.5",
        own_run,
        lambda run: _answered(run) > (1 + _before) / 2,
        hint="Return an array with a weight for each fact.",
        slips=[
            (
                lambda run: _answered(run) < _before - 0.002,
                "Fewer questions are answered than before. Who needs more exposures?",
            ),
            (
                lambda run: _answered(run) <= (1 + _before) / 2,
                f"Of what was missed ({100 * (1 - _before):.1f} % of the questions) more than half "
                "is missed still. Who needs more exposures, who has more than enough?",
            ),
        ],
        praise="Rare facts get more draws, and frequent ones had more than enough.",
    )
    check_5
    return (check_5,)


@app.cell(hide_code=True)
def _(check_5, own_run, roomy, runs):
    wait_for(check_5)
    _rows = "\n".join(
        f"| {name} | {run.facts_known} | {roomy.frequency[run.recall].sum():.3f} |"
        for name, run in {"as they occur": runs["roomy"], "by your weights": own_run}.items()
    )
    mo.md(f"| drawn | facts known | questions answered |\n|---|---|---|\n{_rows}")
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## What to take along

    - Rare facts are lost for two reasons: there is **no room** for them, or they are **met too
      seldom**.
    - Against the second it helps to draw facts more equally. Against the first it does harm: then
      the bits are spread again.
    - A steep law makes a model look good: a few facts answer most questions.

    Next: if not all facts fit, which should be trained on?
    """)
    return


@app.cell(hide_code=True)
def _():
    ### TEACHER
    mo.md("""
    ## For the teacher

    - **First prediction.** Nearly all say s = 0. It is the only one where nothing breaks the tie
      between facts, so bits are spread evenly. Which of s = 0.5 and s = 1 knows more may differ by
      a few facts from machine to machine.
    - **3.4** The answer depends on the model, its size and its training. Let groups compare it
      with the draws of the rarest fact in exercise 3.2: 19. So in that training both reasons are
      at work.
    - **3.5** All weights equal do it as well, and so does the cube root of the frequency.
      Ask what equal weights would do to the 1,600 cities of part 2: see lab 2.
    """)
    return


if __name__ == "__main__":
    app.run()

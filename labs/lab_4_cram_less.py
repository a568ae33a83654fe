import marimo

app = marimo.App(app_title="Lab 4: cram less")

with app.setup:
    import marimo as mo
    import numpy as np

    from factcap.capacity import all_or_nothing_bound
    from factcap.figures.style import COLORS
    from factcap.synth import cities
    from kit import (
        Training,
        attempt,
        check,
        near,
        picture,
        predict,
        train_all,
        train_by_rule,
        wait_for,
    )

    DRAWS = 240_000
    FITS = 800


@app.cell(hide_code=True)
def _():
    mo.md("""
    # Lab 4: cram less

    A model that is offered more facts than fit spreads its bits and knows few of them. So it
    should not be trained on all of them. On which, then? You write a rule that decides it, and
    your model runs against four others.

    *Some 40 minutes. Training takes a minute or two, and some seconds for each rule that you try.
    Needs: labs 2 and 3.*
    """)
    return


@app.cell
def _():
    offered = cities(3200, frequency="power_law", exponent=0.8, longest_key=5)
    bound = all_or_nothing_bound(offered.frequency, offered.choices, budget_bits=16_800).accuracy
    return bound, offered


@app.cell(hide_code=True)
def _(offered):
    mo.md(f"""
    ## 1. The race

    There are {len(offered):,} cities, the most frequent first, with frequencies that fall as
    $i^{{-0.8}}$. From lab 2 you know that some **{FITS}** fit in the model (16,800 bits). Each
    training may read {DRAWS:,} facts. What counts is the **weighted accuracy**: the share of
    questions answered, where all {len(offered):,} cities are asked for as often as they occur.

    **Exercise 4.1.** A model that knows the {FITS} most frequent cities and no other: what share
    of the questions does it answer? The frequencies are in `offered.frequency`.
    """)
    return


@app.cell
def _(offered):
    # A share between 0 and 1.
    ### BEGIN SOLUTION
    best_possible = offered.frequency[:FITS].sum()
    ### END SOLUTION
    return (best_possible,)


@app.cell(hide_code=True)
def _(best_possible, offered):
    _share = offered.frequency[:FITS].sum()
    check_1 = check(
        "4.1",
        best_possible,
        near(_share, 0.005),
        hint=f"Sum the frequencies of the first {FITS} cities.",
        slips=[
            (
                near(FITS / len(offered), 0.005),
                "So it would be if all were asked for equally often.",
            ),
            (near(offered.frequency[FITS:].sum(), 0.005), "That is what it does not answer."),
        ],
        praise="That is the bound. Nothing that knows whole facts does better.",
    )
    check_1
    return (check_1,)


@app.cell(hide_code=True)
def _():
    mo.md("""
    Four models start:

    - **ordinary**: trained on everything, as it occurs;
    - **random**: trained on 800 cities taken at random, the others are dropped early;
    - **loss_h**: looks at the losses now and then, and drops the cities of highest loss until what
      is left fits;
    - **worth**: counts how often a city occurs, and keeps those that gain most for a bit still to
      be stored.
    """)
    return


@app.cell(hide_code=True)
def _():
    fewest = predict(
        "Which of them answers the fewest questions?",
        options=["ordinary", "random", "loss_h", "worth"],
        default="ordinary",
    )
    fewest
    return (fewest,)


@app.cell
def _(offered, fewest):
    wait_for(fewest)
    _field = {
        "ordinary": Training(offered),
        "random": Training(offered, "random", budget_bits=16_800),
        "loss_h": Training(offered, "loss_h"),
        "worth": Training(offered, "worth"),
    }
    others = train_all(_field, draws=DRAWS)
    return (others,)


@app.cell(hide_code=True)
def _(bound, others, fewest):
    _rows = "\n".join(
        f"| {name} | {run.facts_known} | {run.weighted_accuracy:.3f} | "
        f"{run.weighted_accuracy / bound:.2f} |"
        for name, run in others.items()
    )
    _least = min(others, key=lambda name: others[name].weighted_accuracy)
    mo.md(f"""
    | | facts known | questions answered | of the bound |
    |---|---|---|---|
    {_rows}

    You said {fewest.value}, and it is **{_least}**. A model that knows more facts may answer fewer
    questions: it matters *which* facts it knows.
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## 2. Your rule

    **Exercise 4.2.** Write a rule. It is asked ten times: before the first step, when nothing is
    known and each loss is 21 bits, and nine times up to eight tenths of the training. It gives
    each city a weight by which it is drawn. A weight of 0 leaves it out. Answer nine tenths of
    what the bound allows.

    - `losses`: what the model still lacks of each code, in bits. 0: it knows it.
    - `frequency`: how often each city is asked for.
    - `fits`: how many fit.
    - `done`: the share of the training that is over, from 0 to 0.8.
    """)
    return


@app.cell
def _():
    def rule(losses, frequency, fits, done):
        # Return one weight for each city.
        ### BEGIN SOLUTION
        worth = frequency / np.maximum(losses, 0.1)
        weights = np.zeros(len(losses))
        weights[np.argsort(-worth)[:fits]] = 1
        return weights
        ### END SOLUTION

    return (rule,)


@app.cell(hide_code=True)
def _():
    room = mo.ui.slider(400, 1600, 100, value=FITS, label="fits", show_value=True, debounce=True)
    own_share = predict(
        "How much of the bound will your rule reach, in percent? Ordinary training reaches 60.",
        span=(0, 110, 1),
        default=90,
    )
    mo.vstack([mo.md("What your rule is told as `fits`:"), room, own_share])
    return own_share, room


@app.cell
def _(offered, others, own_share, room, rule):
    wait_for(own_share)
    _first = attempt(rule, np.full(len(offered), 21.0), offered.frequency, FITS, 0.0)
    if _first is ... or not len(others):
        own = ...
    else:
        own = attempt(
            lambda: train_by_rule(offered, rule, fits=room.value, draws=DRAWS).measurement
        )
    return (own,)


@app.cell(hide_code=True)
def _(bound, others, own):
    check_2 = check(
        "4.2",
        own,
        lambda run: run.weighted_accuracy > 0.9 * bound,
        hint="Which cities answer the most questions? Does your rule leave room to know them?",
        slips=[
            (
                lambda run: run.weighted_accuracy < others["ordinary"].weighted_accuracy - 0.01,
                "Ordinary training answers more. Does your rule leave out what is asked for most?",
            ),
            (
                lambda run: run.weighted_accuracy < others["ordinary"].weighted_accuracy + 0.03,
                "Much as ordinary training. Does your rule leave out as many as do not fit?",
            ),
        ],
    )
    check_2
    return (check_2,)


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## 3. Without counts

    In a stream of text nobody tells the frequency of a fact. You see the losses, and you can drop
    what comes by. What you keep comes as often as it occurs.

    **Exercise 4.3.** Write a rule that reads only losses. It gives 1 for what is kept and 0 for
    what is dropped. Be clearly better than ordinary training. Hint: early on, the losses tell
    little.
    """)
    return


@app.cell
def _():
    def keep(losses, fits, done):
        # Return 1 or 0 for each city.
        ### BEGIN SOLUTION
        number = int(len(losses) * (fits / len(losses)) ** min(done / 0.5, 1))
        kept = np.zeros(len(losses))
        kept[np.argsort(losses, kind="stable")[:number]] = 1
        return kept
        ### END SOLUTION

    return (keep,)


@app.cell
def _(keep, offered, others, own_share):
    wait_for(own_share)

    def _by_losses(losses, frequency, fits, done):
        return frequency * np.asarray(keep(losses, fits, done), float)

    _first = attempt(keep, np.full(len(offered), 21.0), FITS, 0.0)
    if _first is ... or not len(others):
        unseen = ...
    else:
        unseen = attempt(
            lambda: train_by_rule(offered, _by_losses, fits=FITS, draws=DRAWS).measurement
        )
    return (unseen,)


@app.cell(hide_code=True)
def _(others, unseen):
    _ordinary = others["ordinary"].weighted_accuracy
    check_3 = check(
        "4.3",
        unseen,
        lambda run: run.weighted_accuracy > 1.12 * _ordinary,
        hint="Not much better than ordinary training. Where many do not fit, some must go, but not "
        "before their losses tell which.",
        slips=[
            (
                lambda run: run.weighted_accuracy < 0.95 * _ordinary,
                "Ordinary training answers more. What does a high loss late in training say?",
            ),
            (
                lambda run: run.weighted_accuracy < 1.03 * _ordinary,
                "Much as ordinary training. Does your rule drop enough?",
            ),
        ],
        praise="Low losses tell what is met often. Nobody had to count.",
    )
    check_3
    return (check_3,)


@app.cell(hide_code=True)
def _():
    tries, set_tries = mo.state({})
    return set_tries, tries


@app.cell(hide_code=True)
def _(bound, own, own_share, room, set_tries, unseen):
    _runs = {f"your rule, told {room.value}": own, "your rule by losses": unseen}
    _scores = {
        name: run.weighted_accuracy / bound
        for name, run in _runs.items()
        if run is not ... and not isinstance(run, Exception)
    }
    set_tries(lambda old: old | {f"{name}: {x:.3f}": x for name, x in _scores.items()})
    _reached = [
        f"You said {own_share.value} %. Your rule reached **{100 * share:.0f} %** of the bound. "
        "Change it, or what it is told, and run again: every try stays on the board."
        for name, share in _scores.items()
        if "told" in name
    ]
    mo.md("\n\n".join(["## 4. Leaderboard", *_reached]))
    return


@app.cell(hide_code=True)
def _(bound, others, own, tries, unseen):
    assert own is not None
    assert unseen is not None
    _shares = {name: run.weighted_accuracy / bound for name, run in others.items()} | tries()
    _board = sorted(_shares.items(), key=lambda entry: entry[1])
    _drawn = picture.axes(
        height=0.6 + 0.25 * len(_board), xlabel="share of the bound", xlim=(0, 1.08)
    )
    _colors = [COLORS[0] if name in others else COLORS[1] for name, _ in _board]
    _drawn.barh([name for name, _ in _board], [share for _, share in _board], color=_colors)
    _drawn.axvline(1, color="black", linewidth=1)
    _drawn.grid(False)
    picture.shown(_drawn, "Bars: the share of the bound that each rule reached.")
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## 5. What looking costs

    **Exercise 4.4.** A look computes the losses of all 3,200 cities. That is a forward pass, a
    third of what training on them would cost. There are nine looks. What share of the 240,000
    draws do they cost?
    """)
    return


@app.cell
def _():
    # A share between 0 and 1.
    ### BEGIN SOLUTION
    looking = 9 * 3200 / 3 / 240_000
    ### END SOLUTION
    return (looking,)


@app.cell(hide_code=True)
def _(looking):
    check_4 = check(
        "4.4",
        looking,
        near(0.04),
        hint="Cities looked at in all nine looks, a third of that, divided by the draws.",
        slips=[
            (near(0.12), "A look is no training: it costs a third."),
            (near(0.04 / 9), "That is one look."),
            (near(4), "As a share, not in percent."),
        ],
        praise="The race has charged you for it: your training took that many fewer steps.",
    )
    check_4
    return (check_4,)


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## What to take along

    - A model that is trained on what fits knows as much as the bound allows. It must be told what.
    - Counts are best. Losses alone go a good part of the way: what is met often is learned first.
    - Move the slider `fits`. What costs more, too much or too little?

    This is the idea of Ye, Feldman and Talwar (2026): *cram less*.
    """)
    return


@app.cell(hide_code=True)
def _():
    ### TEACHER
    mo.md("""
    ## For the teacher

    - **First prediction.** Most say ordinary. Random knows many more facts, but a quarter of the
      questions is about them.
    - **4.2** Sorting by frequency alone reaches the bound, too. `worth` comes somewhat lower,
      since it counts a sample and finds out by itself how much fits. Ask for a rule that is not
      told `fits`.
    - **4.3** Cutting at once at the first look reaches some 75 %, shrinking until half of the
      training some 80 %, `loss_h` 85 %. Let groups race: the board is made for it.
    - Watch for who trains on the *highest* losses, "to work on weak points". It is a fine debate:
      it is right where all fits.
    """)
    return


if __name__ == "__main__":
    app.run()

import marimo

app = marimo.App(app_title="Lab 2: fill a model")

with app.setup:
    import marimo as mo
    import numpy as np

    from factcap.capacity import all_or_nothing_bound
    from factcap.figures.style import line
    from factcap.models import named_size
    from factcap.synth import cities
    from kit import Training, check, near, picture, predict, train_all, wait_for


@app.cell(hide_code=True)
def _():
    mo.md("""
    # Lab 2: fill a model

    A transformer is a memory too. You train small ones on facts about cities: each city has a
    random code of 21 bits, which the model must give when it reads the name. You fill the model
    more and more. You find out how many bits it holds, and what happens when you fill it too much.

    *Some 40 minutes. Training takes a minute or two. Needs: lab 1.*
    """)
    return


@app.cell
def _():
    atlas = cities(4000, frequency="uniform", longest_key=5)
    model = named_size("8k", atlas.vocabulary_size)
    return atlas, model


@app.cell(hide_code=True)
def _(atlas, model):
    _some = zip(atlas.keys[:4].to_pylist(), atlas.values[:4].to_pylist(), strict=True)
    _rows = "\n".join(f"| {city} | {code} |" for city, code in _some)
    mo.md(f"""
    ## 1. The facts and the model

    | city | code |
    |---|---|
    {_rows}

    A code is three pieces, each one of 128. The model has **{model.parameters:,} parameters**:
    {model.depth} blocks of width {model.width}. It reads a name and gives the pieces of its code.
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    **Exercise 2.1.** Suppose that a model holds 2 bits of facts for each parameter. How many
    cities does this model then hold?
    """)
    return


@app.cell
def _():
    # A number of cities. The model is in `model.parameters`.
    ### BEGIN SOLUTION
    should_fit = 2 * 8272 / 21
    ### END SOLUTION
    return (should_fit,)


@app.cell(hide_code=True)
def _(model, should_fit):
    check_1 = check(
        "2.1",
        should_fit,
        near(2 * model.parameters / 21, 0.02),
        hint="Bits that the model holds, divided by the bits of one code.",
        slips=[
            (
                near(32 * model.parameters / 21, 0.02),
                "A parameter is written with 32 bits, but training makes use of some 2 of them.",
            ),
            (near(model.parameters / 21, 0.02), "That is 1 bit for each parameter."),
            (near(2 * model.parameters, 0.02), "These are bits. How many does one code have?"),
        ],
        praise="We shall see.",
    )
    check_1
    return (check_1,)


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## 2. Fill it

    Seven models of this size are trained, from nothing, on 200, 400, 600, 800, 1,200, 1,600 and
    3,200 cities. Each model reads as many facts as the others: 240,000.
    """)
    return


@app.cell(hide_code=True)
def _():
    overfull = predict(
        "Some 800 cities fit. How many will the model know that is trained on 3,200?",
        options=[
            "More than 800: more practice",
            "Some 800: it keeps what fits and leaves out the rest",
            "Some 400: it wastes half of its bits",
            "Fewer than 100",
        ],
        default="Some 800: it keeps what fits and leaves out the rest",
    )
    overfull
    return (overfull,)


@app.cell
def _(atlas, overfull):
    wait_for(overfull)
    _offered = (200, 400, 600, 800, 1200, 1600, 3200)
    runs = train_all({n: Training(atlas.prefix(n)) for n in _offered}, draws=240_000)
    return (runs,)


@app.cell(hide_code=True)
def _(overfull, runs):
    _rows = "\n".join(
        f"| {n:,} | {21 * n:,} | {m.unclipped_stored_bits:,.0f} | {m.facts_known:,} |"
        for n, m in runs.items()
    )
    _most = max(m.facts_known for m in runs.values())
    mo.md(f"""
    | cities | bits of their codes | bits that the model has stored | codes it knows |
    |---|---|---|---|
    {_rows}

    You said: *{overfull.value}*. A model knows up to {_most}. The one that was offered 3,200 cities
    knows **{runs[3200].facts_known}**.

    A code is *known* if the model, asked for the city, writes exactly this code. The *stored bits*
    are what the model saves in coding all codes: their 21 bits each, minus $-\\log_2$ of the
    probability that it gives to them.
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## 3. How many bits does it hold?

    **Exercise 2.2.** The **capacity** of the model is the most bits that any of these trainings has
    stored. Compute it from `runs`. `runs[800].unclipped_stored_bits` are the bits of one.
    """)
    return


@app.cell
def _(runs):
    # In bits; runs.values() are all measurements.
    ### BEGIN SOLUTION
    capacity_bits = max(run.unclipped_stored_bits for run in runs.values())
    ### END SOLUTION
    return (capacity_bits,)


@app.cell(hide_code=True)
def _(capacity_bits, runs):
    _stored = [run.unclipped_stored_bits for run in runs.values()]
    check_2 = check(
        "2.2",
        capacity_bits,
        near(max(_stored), 0.002),
        hint="Go through all of `runs.values()` and take the largest stored bits.",
        slips=[
            (near(_stored[-1], 0.002), "That is the last one. Was it the largest?"),
            (near(sum(_stored), 0.002), "These are seven models. What did the fullest one store?"),
            (
                near(21 * max(run.facts_known for run in runs.values()), 0.002),
                "Whole codes only. The model has stored parts of others too.",
            ),
        ],
        praise=f"{max(_stored):,.0f} bits.",
    )
    check_2
    return (check_2,)


@app.cell(hide_code=True)
def _():
    mo.md("**Exercise 2.3.** How many bits does it hold for each of its parameters?")
    return


@app.cell
def _(capacity_bits, model):
    # capacity_bits and model.parameters are there.
    ### BEGIN SOLUTION
    bits_per_parameter = capacity_bits / model.parameters
    ### END SOLUTION
    return (bits_per_parameter,)


@app.cell(hide_code=True)
def _(bits_per_parameter, model, runs):
    _capacity = max(run.unclipped_stored_bits for run in runs.values())
    check_3 = check(
        "2.3",
        bits_per_parameter,
        near(_capacity / model.parameters),
        hint="Bits, divided by parameters.",
        slips=[
            (near(model.parameters / _capacity), "That is how many parameters a bit takes."),
            (
                near(runs[3200].unclipped_stored_bits / model.parameters),
                "That is the model with 3,200 cities. It holds less than the fullest one.",
            ),
        ],
        praise="Papers find from 2 (Allen-Zhu and Li 2024) to 3.6 (Morris et al. 2025).",
    )
    check_3
    return (check_3,)


@app.cell(hide_code=True)
def _(runs):
    _cities = np.array(list(runs))
    _stored = np.array([run.unclipped_stored_bits for run in runs.values()])
    _capacity = _stored.max()
    _known = [run.facts_known for run in runs.values()]
    _bound = [
        n * all_or_nothing_bound(np.full(n, 1 / n), 2**21, _capacity).accuracy for n in _cities
    ]
    _bits, _facts = picture.axes(panels=2, height=2.1, xlabel="cities offered", xlim=(0, 3300))
    _bits.set(ylabel="bits stored", ylim=(0, 1.3 * _capacity))
    _bits.plot(_cities, 21 * _cities, color="0.6", label="all there is to store")
    _bits.plot(_cities, _stored, **line(0), marker="o", label="measured")
    _facts.set(ylabel="codes known")
    _facts.plot(_cities, _bound, color="0.6", label="bound: whole codes at this capacity")
    _facts.plot(_cities, _known, **line(5), marker="s", label="measured")
    mo.vstack(
        [
            picture.shown(_bits, "Bits stored rise and level off. Codes known rise and then fall."),
            mo.md(
                "Above: the bits level off. The model is full. Below: the codes that it knows "
                "**fall**, though it could know as many as before. Nothing forbids that it stays "
                "on the gray line."
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md("## 4. Where did the bits go?")
    return


@app.cell(hide_code=True)
def _():
    typical = predict(
        "Take the model with 3,200 cities. How many of its 21 bits has a typical code in there?",
        span=(0, 21, 1),
        default=0,
    )
    typical
    return (typical,)


@app.cell(hide_code=True)
def _(runs, typical):
    wait_for(typical)
    _drawn = picture.axes(xlabel="bits stored of a code", ylabel="share with as many or more")
    for _number, _n in enumerate((800, 1200, 3200)):
        _each = np.sort(21 - runs[_n].nll_bits)
        _share = np.arange(len(_each), 0, -1) / len(_each)
        _drawn.plot(_each, _share, **line(_number), label=f"{_n:,} cities")
    _drawn.set(xlim=(-3, 22), ylim=(0, 1))
    _drawn.axvline(typical.value, color="black", linewidth=1, label="your prediction")
    _median = float(np.median(21 - runs[3200].nll_bits))
    mo.vstack(
        [
            picture.shown(_drawn, "Bits stored of each code, for three of the models."),
            mo.md(
                f"You said {typical.value}. The typical code has **{_median:.1f}** of its 21 "
                "bits. The model has spread its bits over all cities. From lab 1 you know what a "
                "part of the bits is worth."
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    **Exercise 2.4.** Suppose the model of 3,200 cities gave every code the same number of bits,
    and all it has stored went there. How many codes would it get right? Use the formula of
    exercise 1.3.
    """)
    return


@app.cell
def _(runs):
    _stored = runs[3200].unclipped_stored_bits
    # A number of codes; each has 21 bits.
    ### BEGIN SOLUTION
    known_if_even = 3200 * 2 ** (_stored / 3200 - 21)
    ### END SOLUTION
    return (known_if_even,)


@app.cell(hide_code=True)
def _(known_if_even, runs):
    _stored = runs[3200].unclipped_stored_bits
    check_4 = check(
        "2.4",
        known_if_even,
        near(3200 * 2 ** (_stored / 3200 - 21), 0.02),
        hint="First the bits of one code, then the chance that a guess of the others is right.",
        slips=[
            (
                near(2 ** (_stored / 3200 - 21), 0.02),
                "That is the chance for one code. There are 3,200.",
            ),
            (
                near(_stored / 21, 0.02),
                "So many codes could be known if the bits went to whole codes. They did not.",
            ),
        ],
        praise=f"It knows {runs[3200].facts_known}: a few codes did get more bits than others.",
    )
    check_4
    return (check_4,)


@app.cell(hide_code=True)
def _():
    mo.md("""
    Why does training spread the bits? Its loss counts bits. A bit of a code that will never be
    known lowers the loss as much as the last bit of a code that is nearly known. **Training lowers
    the loss. Knowing facts is another aim.**

    ## 5. What size would do?

    **Exercise 2.5.** You want a model that knows the codes of all 3,200 cities, and it would hold
    as many bits a parameter as this one. How many parameters does it need?
    """)
    return


@app.cell
def _(bits_per_parameter):
    # bits_per_parameter is there.
    ### BEGIN SOLUTION
    parameters_needed = 3200 * 21 / bits_per_parameter
    ### END SOLUTION
    return (parameters_needed,)


@app.cell(hide_code=True)
def _(model, parameters_needed, runs):
    _rate = max(run.unclipped_stored_bits for run in runs.values()) / model.parameters
    check_5 = check(
        "2.5",
        parameters_needed,
        near(3200 * 21 / _rate, 0.02),
        hint="The bits of all codes, divided by the bits that a parameter holds.",
        slips=[
            (near(3200 * 21, 0.02), "These are the bits. A parameter holds more than one."),
            (near(3200 * 21 * _rate, 0.02), "More bits a parameter, fewer parameters."),
            (near(3200 / _rate, 0.02), "A code has 21 bits, not one."),
        ],
    )
    check_5
    return (check_5,)


@app.cell(hide_code=True)
def _(check_5):
    wait_for(check_5)
    own_cities = mo.ui.slider(100, 4000, 100, value=1000, label="cities", show_value=True)
    own_size = mo.ui.dropdown(["8k", "29k"], value="8k", label="model")
    train_own = mo.ui.run_button(label="Train")
    mo.vstack(
        [
            mo.md("Try it: train a model of your own (29k has 28,832 parameters; a minute)."),
            mo.hstack([own_cities, own_size, train_own], justify="start", wrap=True),
        ]
    )
    return own_cities, own_size, train_own


@app.cell(hide_code=True)
def _(atlas, own_cities, own_size, train_own):
    mo.stop(not train_own.value)
    _n = own_cities.value
    _own = train_all({_n: Training(atlas.prefix(_n))}, draws=240_000, model=own_size.value)[_n]
    mo.md(
        f"Of {_n:,} cities it knows **{_own.facts_known:,}**. It has stored "
        f"{_own.unclipped_stored_bits:,.0f} bits, {_own.bits_per_parameter:.2f} a parameter."
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## What to take along

    - A model holds a number of bits, some 2 for each parameter. That is its capacity.
    - **Load** is the bits of the facts, divided by the capacity. Up to load 1 all facts are known.
    - Above it, training spreads the bits. The facts known do not level off, they fall.

    Next: what if some facts are met more often than others?
    """)
    return


@app.cell(hide_code=True)
def _():
    ### TEACHER
    mo.md("""
    ## For the teacher

    - The prediction is the point of the lab. Write the votes on the board before anybody trains.
      Nearly all say that it keeps what fits.
    - Trained twice as long, a model holds somewhat more: at 448,000 draws some 2.3 bits a
      parameter. Capacity is always that of a training. Ask what that means for papers that state
      one number.
    - **2.4** gives much less than one code. What is measured is a little more, since the bits are
      not spread quite evenly. The picture before it shows this.
    - Another CPU rounds otherwise. Numbers may differ by a percent, and known codes above load 1 by
      a few.
    """)
    return


if __name__ == "__main__":
    app.run()

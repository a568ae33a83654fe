import marimo

app = marimo.App(app_title="Lab 7: the perceptron")

with app.setup:
    import math

    import marimo as mo
    import numpy as np
    from scipy import integrate, optimize, stats

    from factcap.capacity import (
        binary_entropy,
        error_floor,
        gardner_capacity,
        log2_dichotomies,
        separable_probability,
    )
    from factcap.capacity.rules_and_facts import fit, solve
    from factcap.figures.style import COLORS, MARKERS, line
    from factcap.figures.theory.rules_and_facts import most_separable
    from factcap.synth import rules_and_facts
    from kit import attempt, check, picture, predict, wait_for


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lab 7: the perceptron

    A perceptron has $d$ weights. It answers yes or no: the sign of $w \cdot x$. It is the smallest
    model that memorizes, and the one of which most is known. In this lab you

    1. count the answers that it can give (Cover 1965),
    2. watch its memory end at two labels a weight,
    3. see what a safety margin costs (Gardner 1988),
    4. measure a weight in bits,
    5. find out what has to go wrong beyond its capacity.

    *Some 35 minutes. Nothing takes longer than half a minute. Needs: lab 1, binomial coefficients
    and the normal distribution. Where a cell asks for your code, replace the `...`.*
    """)
    return


@app.cell(hide_code=True)
def _():
    count = mo.ui.slider(2, 8, value=4, label="points", show_value=True)
    degrees = mo.ui.slider(0, 359, value=20, label="direction of w", show_value=True)
    mo.vstack(
        [
            mo.md(r"""
            ## 1. How many answers can it give?

            Here are some points in the plane, so $d = 2$. All points on the side to which $w$
            points get the label +. The line goes through 0. Turn it and watch the labels change.
            """),
            count,
            degrees,
        ]
    )
    return count, degrees


@app.cell(hide_code=True)
def _(count, degrees):
    _points = np.random.default_rng(5).normal(size=(8, 2))[: count.value]
    _w = np.array([math.cos(math.radians(degrees.value)), math.sin(math.radians(degrees.value))])
    _side = _points @ _w > 0
    _axes = picture.axes(height=3.6, xlim=(-3.2, 3.2), ylim=(-2.4, 2.4), aspect="equal")
    for _plus, _name, _number in ((True, "+", 0), (False, "\N{MINUS SIGN}", 1)):
        _axes.plot(
            *_points[_side == _plus].T,
            MARKERS[_number],
            color=COLORS[_number],
            markersize=9,
            label=_name,
        )
    _axes.plot([-5 * _w[1], 5 * _w[1]], [5 * _w[0], -5 * _w[0]], color="0.4")
    _axes.annotate("", tuple(_w), (0, 0), arrowprops={"arrowstyle": "->"})
    _labels = " ".join("+" if plus else "\N{MINUS SIGN}" for plus in _side)
    mo.vstack(
        [
            picture.shown(_axes, f"{len(_points)} points and a line through 0; labels {_labels}"),
            mo.md(f"The labels, in the order of the points: **{_labels}**"),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    predicted_ways = predict(
        "Four points can be labeled in 16 ways. In how many of them can a line through 0 do it?",
        options=["6", "8", "14", "16"],
        default="14",
    )
    predicted_ways
    return (predicted_ways,)


@app.cell(hide_code=True)
def _(predicted_ways):
    wait_for(predicted_ways)
    _numbers = range(1, 9)
    _turns = np.linspace(0, 2 * math.pi, 20_000)
    _sides = np.random.default_rng(5).normal(size=(8, 2)) @ [np.cos(_turns), np.sin(_turns)] > 0
    _found = [len(np.unique(_sides[:n], axis=1).T) for n in _numbers]
    _axes = picture.axes(xlabel="points in the plane", ylabel="ways to label them", yscale="log")
    _axes.set_yscale("log", base=2)
    _axes.plot(_numbers, [2**n for n in _numbers], label="all", marker=MARKERS[1], **line(1))
    _axes.plot(_numbers, _found, label="by a line through 0", marker=MARKERS[0], **line(0))
    mo.vstack(
        [
            picture.shown(_axes, "Ways to label up to 8 points: all, and those that a line makes"),
            mo.md(f"""
            You said {predicted_ways.value}. Counted by turning the line once around:
            **{_found[3]}** for four points, and {", ".join(map(str, _found))} for one to eight.
            All labels double with each point. Those of a line grow by 2: each new point is met
            twice in a turn.
            """),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    Cover counted them in any dimension. Let $C(n, d)$ be the number of ways in which a hyperplane
    through 0 can label $n$ points of which no $d$ lie on such a hyperplane. Add a point to $n$
    others.

    - Each of the $C(n, d)$ ways labels the new point one way or the other.
    - Some can have it both ways: those that a hyperplane *through the new point* makes. Seen along
      the line from 0 to that point, the $n$ others lie in $d - 1$ dimensions.

    One point can be labeled in 2 ways if $d \ge 1$, and in no way if $d = 0$.
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    **Exercise 7.1.** Turn these three sentences into a function for $C(n, d)$. Do not list the
    labels.
    """)
    return


@app.cell
def _():
    def dichotomies(n, d):
        ### BEGIN SOLUTION
        if d == 0:
            return 0
        if n == 1:
            return 2
        return dichotomies(n - 1, d) + dichotomies(n - 1, d - 1)
        ### END SOLUTION

    return (dichotomies,)


@app.cell(hide_code=True)
def _(dichotomies):
    _cases = ((1, 1), (4, 2), (4, 3), (3, 5), (12, 4))
    _cover = [round(2 ** log2_dichotomies(*case)) for case in _cases]
    check_1 = check(
        "7.1",
        attempt(lambda: [dichotomies(*case) for case in _cases]),
        lambda answer: answer == _cover,
        hint="Try C(4, 2) first: you have counted it above. Then C(3, 5): three points in five "
        "dimensions can be labeled in every way.",
        slips=[
            (
                lambda answer: answer == [2**n for n, _ in _cases],
                "These are all labels, also those that no hyperplane makes.",
            ),
            (
                lambda answer: answer[1] == 14,
                "14 is right for lines anywhere in the plane. Such a line has a third weight, its "
                "threshold. Ours goes through 0.",
            ),
        ],
        praise="Added up, it is 2 (binom(n-1, 0) + ... + binom(n-1, d-1)).",
    )
    check_1
    return


@app.cell(hide_code=True)
def _():
    predicted_share = predict(
        "Now the labels are coins, so that all $2^n$ ways are equally likely, and the chance that "
        "a perceptron can learn them is $C(n, d) / 2^n$. With $d = 50$ weights and $n = 100$ "
        "points it is exactly one half. And with 75 points?",
        options=["about 0.6", "about 0.75", "about 0.9", "above 0.99"],
        default="about 0.75",
    )
    mo.vstack([mo.md("## 2. Where memory ends"), predicted_share])
    return (predicted_share,)


@app.cell(hide_code=True)
def _(predicted_share):
    wait_for(predicted_share)
    dimensions, _draws = (4, 12, 50), 40
    # The most points, of each of 40 sequences, that linear programs find separable.
    most_points = {d: [most_separable(d, 1.0, seed) for seed in range(_draws)] for d in dimensions}
    return dimensions, most_points


@app.cell(hide_code=True)
def _(dimensions, most_points, predicted_share):
    _axes = picture.axes(xlabel="points / weights", ylabel="share that can be learned")
    for _number, _d in enumerate(dimensions):
        _load = np.arange(_d // 2, 4 * _d + 1) / _d
        _axes.plot(
            _load, [separable_probability(round(a * _d), _d) for a in _load], **line(_number)
        )
        _tried = np.linspace(0.8, 3.4, 14)
        _axes.plot(
            _tried,
            [np.mean(np.array(most_points[_d]) >= np.floor(a * _d)) for a in _tried],
            MARKERS[_number],
            color=COLORS[_number],
            label=f"{_d} weights",
        )
    mo.vstack(
        [
            picture.shown(
                _axes, "The share of label sets that can be learned falls from 1 to 0 at load 2"
            ),
            mo.md(f"""
            Lines: Cover's count. Points: 40 sets of coins for each size, each tried by linear
            programs. You said {predicted_share.value}: with 50 weights 75 labels are learned with
            probability **{separable_probability(75, 50):.4f}**.

            All lines pass through one half at two points a weight, and they grow steeper. With a
            thousand weights nearly everything below 2 can be learned and nearly nothing above.
            *Capacity* is the name for that edge, and it needs many weights to be one.
            """),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    How does a program find out whether labels can be learned? It asks for weights with
    $y_i \, w \cdot x_i \ge 1$ for every point. (Why 1 and not 0? Because $w = 0$ must not pass, and
    because weights that do it can be made longer.) These are linear inequalities, and
    `scipy.optimize.linprog` says whether they have a solution: its `status` is 0 where they do.
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    **Exercise 7.2.** Write a function that says, True or False, whether weights exist that give
    each row of `inputs` its label in `labels`, −1 or 1.
    """)
    return


@app.cell
def _():
    def separable(inputs, labels):
        ### BEGIN SOLUTION
        signed = labels[:, None] * inputs
        points, weights = inputs.shape
        found = optimize.linprog(
            np.zeros(weights), A_ub=-signed, b_ub=-np.ones(points), bounds=(None, None)
        )
        return found.status == 0
        ### END SOLUTION

    return (separable,)


@app.cell(hide_code=True)
def _(separable):
    _square = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0]])
    _cases = [
        (_square, np.array([1.0, 1.0, -1.0, -1.0]), True),
        (_square, np.array([1.0, -1.0, 1.0, -1.0]), False),
        (_square, np.array([1.0, 1.0, 1.0, 1.0]), False),
        (_square, np.array([-1.0, -1.0, 1.0, 1.0]), True),
        (_square, np.array([1.0, -1.0, -1.0, 1.0]), True),
        (_square / 1000, np.array([1.0, 1.0, -1.0, -1.0]), True),
    ]
    _truth = [truth for *_, truth in _cases]
    check_2 = check(
        "7.2",
        attempt(lambda: [separable(inputs, labels) for inputs, labels, _ in _cases]),
        lambda answer: list(map(bool, answer)) == _truth,
        hint="Try the corners of a square. By a line through 0 two neighbors can be parted from "
        "the other two; two opposite corners cannot.",
        slips=[
            (
                lambda answer: all(map(bool, answer)),
                "It says yes to everything. Do the weights 0 pass your inequalities?",
            ),
            (
                lambda answer: (
                    [bool(said) for said in answer[:3]] == _truth[:3]
                    and not (answer[3] and answer[4])
                ),
                "It finds no weights below 0. Which bounds does `linprog` put on its variables?",
            ),
        ],
        praise="It will measure something in part 4.",
    )
    check_2
    return (check_2,)


@app.cell(hide_code=True)
def _():
    predicted_margin = predict(
        r"Weights that only just work fail when an input is a little off. So ask for a margin "
        r"$\kappa$: all $y_i \, w \cdot x_i \ge \kappa$, with $|w| = 1$. A random input gives a "
        r"$w \cdot x$ of standard deviation 1. At *half* the capacity, one label a weight, how "
        r"large a margin can all labels have?",
        span=(0.0, 2.0, 0.05),
        default=1.0,
    )
    mo.vstack([mo.md("## 3. What safety costs"), predicted_margin])
    return (predicted_margin,)


@app.cell(hide_code=True)
def _(predicted_margin):
    wait_for(predicted_margin)

    def largest_margin(points, weights, seed):
        """The largest margin of labels that are coins, by a quadratic program; 0 if none is."""
        drawn = rules_and_facts(points, weights, 1.0, seed=seed)
        gram = drawn.inputs @ drawn.inputs.T / weights
        learned = fit("hinge", gram, drawn.labels, 0.0)
        if not learned.converged:
            return 0.0
        length = math.sqrt(learned.coefficients @ gram @ learned.coefficients)
        return math.sqrt(weights) * float(learned.margins.min()) / length

    loads = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
    margins = {
        d: [np.mean([largest_margin(round(a * d), d, seed) for seed in range(8)]) for a in loads]
        for d in (8, 32, 128)
    }
    return loads, margins


@app.cell(hide_code=True)
def _(loads, margins, predicted_margin):
    _kappa = np.linspace(0, 2, 81)
    _axes = picture.axes(xlabel="labels / weights", ylabel="largest margin", xlim=(0, 2.1))
    _axes.plot([gardner_capacity(k) for k in _kappa], _kappa, color="black", label="Gardner")
    for _number, (_d, _found) in enumerate(margins.items()):
        _axes.plot(
            loads, _found, MARKERS[_number], color=COLORS[_number], label=f"{_d} weights, measured"
        )
    _half = optimize.brentq(lambda k: gardner_capacity(k) - 1, 0, 2)
    mo.vstack(
        [
            picture.shown(_axes, "The largest margin falls with the load and is 0 at load 2"),
            mo.md(f"""
            You said {predicted_margin.value:g}. Theory for infinitely many weights:
            **{_half:.2f}** at one label a weight. With 128 weights {margins[128][3]:.2f} were
            measured, the mean of eight draws. Read it the other way, too: whoever wants a margin
            of 1 can store half a label a weight, a quarter of what a perceptron holds.
            """),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    Gardner's calculation asks which share of all weights do the job, and where it shrinks to
    nothing. Its result can be said in one line. With $z$ a standard normal variable,

    $$\frac{1}{\alpha_c(\kappa)} = \mathbb E \left[ \max(0, z + \kappa)^2 \right].$$

    Each label asks this much of the $d$ directions that the weights have: an input that already
    lies beyond the margin asks for nothing, one that lies on the wrong side asks for the square of
    what it lacks.
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    **Exercise 7.3.** Compute the capacity $\alpha_c$ of a margin to within 1 %, by an integral
    (`integrate.quad`, `stats.norm.pdf`) or by the mean over a million random numbers.
    """)
    return


@app.cell
def _():
    def capacity(margin):
        ### BEGIN SOLUTION
        asked, _error = integrate.quad(
            lambda z: (z + margin) ** 2 * stats.norm.pdf(z), -margin, math.inf
        )
        return 1 / asked
        ### END SOLUTION

    return (capacity,)


@app.cell(hide_code=True)
def _(capacity):
    _margins = (0.0, 0.5, 1.0)
    _gardner = [gardner_capacity(margin) for margin in _margins]
    check_3 = check(
        "7.3",
        attempt(lambda: [capacity(margin) for margin in _margins]),
        lambda answer: np.allclose(answer, _gardner, rtol=0.01),
        hint="Without a margin the capacity is Cover's. Which half of the normal distribution "
        "counts then?",
        slips=[
            (
                lambda answer: np.allclose(answer, 1 / np.array(_gardner), rtol=0.01),
                "This is what a label asks for. The capacity is how many can ask.",
            ),
            (
                lambda answer: np.allclose(answer, [1 / (1 + m**2) for m in _margins], rtol=0.01),
                "You have squared z + margin where it is negative, too. Such inputs ask for "
                "nothing.",
            ),
        ],
        praise="2, 0.96 and 0.52 labels a weight.",
    )
    check_3
    return


@app.cell(hide_code=True)
def _():
    predicted_skew = predict(
        "Two labels a weight, if half of them are +. Now only one in twenty is +, and the "
        "perceptron also gets a threshold. Compared with coins it can store ...",
        options=[
            "more labels, and more bits",
            "more labels, and fewer bits",
            "as many labels, and fewer bits",
            "fewer labels, and fewer bits",
        ],
        default="as many labels, and fewer bits",
    )
    mo.vstack(
        [
            mo.md(r"""
            ## 4. A weight in bits

            Labels that are mostly alike hold fewer bits each:
            $h(f) = -f \log_2 f - (1 - f) \log_2 (1 - f)$, where $f$ is the share of +.
            """),
            predicted_skew,
        ]
    )
    return (predicted_skew,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    **Exercise 7.4.** How many bits of such labels does a weight store?
    `gardner_capacity(positive_fraction=f)` says how many labels a weight can store, and
    `binary_entropy(f)` is $h(f)$.
    """)
    return


@app.cell
def _():
    def bits_a_weight(f):
        ### BEGIN SOLUTION
        return gardner_capacity(positive_fraction=f) * binary_entropy(f)
        ### END SOLUTION

    return (bits_a_weight,)


@app.cell(hide_code=True)
def _(bits_a_weight):
    _shares = (0.5, 0.2, 0.05)
    _labels = np.array([gardner_capacity(positive_fraction=f) for f in _shares])
    _entropy = np.array([binary_entropy(f) for f in _shares])
    check_4 = check(
        "7.4",
        attempt(lambda: [bits_a_weight(f) for f in _shares]),
        lambda answer: np.allclose(answer, _labels * _entropy, rtol=1e-3),
        hint="Labels a weight, times bits a label.",
        slips=[
            (
                lambda answer: np.allclose(answer, _labels, rtol=1e-3),
                "These are labels a weight. How many bits is one of them?",
            ),
            (
                lambda answer: np.allclose(answer, 2 * _entropy, rtol=1e-3),
                "You have taken two labels a weight for every f. It is two only for coins.",
            ),
        ],
        praise="They fall, but slowly.",
    )
    check_4
    return


@app.cell(hide_code=True)
def _(check_2, predicted_skew, separable):
    wait_for(predicted_skew, check_2)

    def most_labels(f, seed, weights=60):
        """The most labels, of one sequence with a share f of +, that your program can learn."""
        rng = np.random.default_rng([seed, 7])
        low, high = weights, round(3 * weights * gardner_capacity(positive_fraction=f))
        inputs = np.column_stack([rng.normal(size=(high, weights)), np.ones(high)])
        labels = np.where(rng.random(high) < f, 1.0, -1.0)
        while high - low > 1:
            middle = (low + high) // 2
            fits = separable(inputs[:middle], labels[:middle])
            low, high = (middle, high) if fits else (low, middle)
        return low / weights

    shares = (0.5, 0.2, 0.1, 0.05)
    stored_labels = [[most_labels(f, seed) for seed in range(10)] for f in shares]
    return shares, stored_labels


@app.cell(hide_code=True)
def _(predicted_skew, shares, stored_labels):
    _axes = picture.axes(xlabel="share of +", ylabel="stored by a weight", ylim=(0, 8))
    _fine = np.linspace(0.02, 0.5, 60)
    _capacity = np.array([gardner_capacity(positive_fraction=f) for f in _fine])
    _measured = np.mean(stored_labels, axis=1)
    for _number, (_name, _line, _points) in enumerate(
        (
            ("labels", _capacity, _measured),
            (
                "bits",
                _capacity * [binary_entropy(f) for f in _fine],
                _measured * [binary_entropy(f) for f in shares],
            ),
        )
    ):
        _axes.plot(_fine, _line, **line(_number))
        _axes.plot(shares, _points, MARKERS[_number], color=COLORS[_number], label=_name)
    mo.vstack(
        [
            picture.shown(
                _axes, "Labels a weight rise where + is rare; bits a weight fall a little"
            ),
            mo.md(f"""
            You said: *{predicted_skew.value}*. Lines: Gardner's theory. Points: your linear
            program, with 60 weights and a threshold. Where one label in twenty is +, a weight
            stores {_measured[-1]:.1f} labels and {_measured[-1] * binary_entropy(0.05):.1f} bits.

            The number of labels says little about a memory, since labels can be cheap. Its bits say
            much: they stay close to 2 a weight while labels change threefold. That is why this
            course counts facts in bits.
            """),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## 5. Beyond capacity

    Four coins a weight, and 2 bits a weight. Some labels have to come out wrong. How few can it be?
    What is stored of $n$ coins by who gets a share $D$ of them wrong is $n (1 - h(D))$ bits: one
    bit a label, less what it would take to say which are wrong. So

    $$\alpha \, (1 - h(D)) \le 2.$$
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    **Exercise 7.5.** What is the least share of wrong labels at a load $\alpha$, in labels a
    weight? It is 0 where all of them fit. `optimize.brentq` finds where a function crosses 0.
    """)
    return


@app.cell
def _():
    def least_errors(load):
        ### BEGIN SOLUTION
        if load <= 2:
            return 0.0
        return optimize.brentq(lambda share: load * (1 - binary_entropy(share)) - 2, 0, 0.5)
        ### END SOLUTION

    return (least_errors,)


@app.cell(hide_code=True)
def _(least_errors):
    _loads = np.array([1.5, 3.0, 4.0, 8.0])
    _floor = [error_floor(load, 2) for load in _loads]
    check_5 = check(
        "7.5",
        attempt(lambda: [least_errors(load) for load in _loads]),
        lambda answer: np.allclose(answer, _floor, atol=1e-3),
        hint="The inequality becomes an equation at the least D. D lies between 0 and one half.",
        slips=[
            (
                lambda answer: np.allclose(answer, np.maximum(0, 1 - 2 / _loads), atol=1e-3),
                "These are the labels that do not fit. Half of them could be guessed.",
            ),
            (
                lambda answer: np.allclose(answer, np.maximum(0, 1 - 2 / _loads) / 2, atol=1e-3),
                "That is what you get if you store some labels whole and guess the rest. The "
                "inequality allows less: bits can be spread over all labels at once.",
            ),
        ],
        praise="At four labels a weight: 11 %, where storing half and guessing half gives 25 %.",
    )
    check_5
    return


@app.cell(hide_code=True)
def _():
    predicted_errors = predict(
        "No learner with 2 bits a weight gets below 11 % wrong at four labels a weight. Which "
        "share of its training labels does a support vector machine get wrong there?",
        span=(0.11, 0.5, 0.01),
        default=0.12,
    )
    predicted_errors
    return (predicted_errors,)


@app.cell(hide_code=True)
def _(predicted_errors):
    wait_for(predicted_errors)

    def share_wrong(load, seed, weights=80):
        """The share of coins that a support vector machine with little ridge gets wrong."""
        drawn = rules_and_facts(round(load * weights), weights, 1.0, seed=seed)
        gram = drawn.inputs @ drawn.inputs.T / weights
        return float(np.mean(fit("hinge", gram, drawn.labels, 0.01).margins < 0))

    beyond = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
    wrong = [[share_wrong(load, seed) for seed in range(4)] for load in beyond]
    return beyond, wrong


@app.cell(hide_code=True)
def _(beyond, predicted_errors, wrong):
    _fine = np.linspace(0.5, 6.5, 121)
    _axes = picture.axes(height=4, xlabel="labels / weights", ylabel="share of labels wrong")
    _axes.plot(
        beyond,
        np.mean(wrong, axis=1),
        MARKERS[0],
        color=COLORS[0],
        label="support vector machine, measured",
    )
    _theory = [
        solve(loss="hinge", alpha=a, epsilon=1.0, ridge=0.01).memorization_error
        for a in _fine[::4].tolist()
    ]
    _axes.plot(_fine[::4], _theory, label="the same, theory", **line(0))
    _axes.plot(
        _fine,
        np.maximum(0, 1 - 2 / _fine) / 2,
        label="2 bits a weight, stored whole or guessed",
        **line(1),
    )
    _axes.plot(_fine, [error_floor(a, 2) for a in _fine], color="black", label="2 bits: floor")
    mo.vstack(
        [
            picture.shown(_axes, "Errors beyond capacity: a learner's, all or nothing, the floor"),
            mo.md(f"""
            You said {predicted_errors.value:.0%}. It is **{np.mean(wrong[4]):.0%}** at four labels
            a weight: more than twice the floor, and no better than storing half of the labels and
            guessing the rest. The machine spreads itself over all labels. It minimizes how far
            they are off, not how many are wrong, and to minimize their number is a hard problem.

            With labels of one bit spreading costs little: a label that is half learned still comes
            out right more often than not. A fact of many bits that is half learned hardly ever
            does. That is why transformers, which spread as well, know *fewer* facts the more they
            are offered beyond capacity: labs 2 and 4.

            **To think about.** At three labels a weight you may train the machine on some labels
            only, and guess the others. Do you gain anything?
            """),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    ### TEACHER
    mo.md(r"""
    ## For the teacher

    - **First prediction.** Who says 14 remembers that a line cannot do XOR. 14 is right for lines
      with a threshold, a third weight.
    - **Second.** 0.998. Sharp edges are what the word *capacity* stands on. Ask for the chance at
      $n = 1500$ and $d = 1000$: one minus $10^{-38}$.
    - **7.1** Without memory the recursion is slow for large $n$. Nobody needs them.
    - **7.2** Many solve it with a margin of 0: then $w = 0$ passes. Others forget `bounds`, since
      variables of `linprog` are not negative if nothing is said. The check knows both.
    - **Fourth prediction.** More labels, and fewer bits: 6.1 labels and 1.7 bits in theory. With 60
      weights a little more is measured.
    - **7.5** It is the rate-distortion bound of lab 1 for values of one bit.
    - **The last question.** No. Trained on 1.8 labels a weight it has 23 % of all three wrong,
      trained on all of them 20 %. Facts of many bits are another matter: that is lab 4.
    """)
    return


if __name__ == "__main__":
    app.run()

import marimo

app = marimo.App(app_title="Lab 5: rules and facts")

with app.setup:
    import math
    import tempfile
    from pathlib import Path

    import marimo as mo
    import numpy as np
    from scipy import optimize

    from factcap.capacity import binary_entropy, least_exception_error
    from factcap.capacity.rules_and_facts import (
        bayes_optimal_error,
        coincidence_ratio,
        kernel_coefficients,
        optimal_ridge,
        solve,
    )
    from factcap.figures.rules.tokens import Plan, bits_per_parameter, planned_runs
    from factcap.figures.rules.units import NetworkPlan, network_row
    from factcap.figures.runs import make_runs
    from factcap.figures.style import COLORS, MARKERS, line
    from factcap.figures.theory.rules_simulation import KERNELS, Setting, simulate
    from factcap.synth import rules_and_facts
    from kit import attempt, check, picture, predict, wait_for


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lab 5: rules and facts

    Most verbs follow a rule, some are exceptions. The rule can be learned from examples and applied
    to new verbs. Exceptions can only be memorized. One model has to do both. Does one disturb the
    other? The answer depends on the model, and in this lab you find out how:

    1. what an exception costs in bits,
    2. a linear learner, where memorizing harms the rule,
    3. a kernel, where it can be free,
    4. networks of one hidden layer, trained here,
    5. transformers, trained here, with too little room for everything.

    *Some 40 minutes. Training takes a minute or two. Needs: labs 1 and 2, and linear regression
    with a ridge. Where a cell asks for your code, replace the `...`.*
    """)
    return


@app.cell(hide_code=True)
def _():
    share_of_facts = mo.ui.slider(0, 1, 0.05, value=0.3, label="share of facts", show_value=True)
    mo.vstack(
        [
            mo.md(r"""
            ## 1. What an exception costs

            Points $x$ get a label + or −. Mostly the label follows a **rule**: the side of a line
            on which $x$ lies. With probability $\epsilon$ the label is a **fact**: a coin is
            thrown. The model (Farne, Boncoraglio and Zdeborova 2026) has $d$ dimensions; here are
            two. Facts have a ring.
            """),
            share_of_facts,
        ]
    )
    return (share_of_facts,)


@app.cell(hide_code=True)
def _(share_of_facts):
    _drawn = rules_and_facts(60, 2, share_of_facts.value, seed=3)
    _rule = _drawn.teacher
    _axes = picture.axes(height=3.6, xlim=(-3.6, 3.6), ylim=(-2.7, 2.7), aspect="equal")
    for _number, (_sign, _name) in enumerate(((1, "+"), (-1, "\N{MINUS SIGN}"))):
        _axes.plot(
            *_drawn.inputs[_drawn.labels == _sign].T,
            MARKERS[_number],
            color=COLORS[_number],
            label=_name,
        )
    _axes.plot(
        *_drawn.inputs[_drawn.is_fact].T,
        "o",
        color="black",
        markerfacecolor="none",
        markersize=11,
        label="fact",
    )
    _axes.plot([-5 * _rule[1], 5 * _rule[1]], [5 * _rule[0], -5 * _rule[0]], color="0.4")
    _off = _drawn.labels != np.where(_drawn.inputs @ _rule > 0, 1, -1)
    mo.vstack(
        [
            picture.shown(_axes, "Points on both sides of a line; facts are ringed"),
            mo.md(
                f"Of 60 points {_drawn.is_fact.sum()} are facts. **{_off.sum()}** labels are not "
                "the rule's."
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    **Exercise 5.1.** You know the rule and nothing else. Which share of *all* labels do you get
    wrong?
    """)
    return


@app.cell
def _():
    def wrong_by_rule(epsilon):
        ### BEGIN SOLUTION
        return epsilon / 2
        ### END SOLUTION

    return (wrong_by_rule,)


@app.cell(hide_code=True)
def _(wrong_by_rule):
    _shares = (0.1, 0.4, 1.0)
    check_1 = check(
        "5.1",
        attempt(lambda: [wrong_by_rule(epsilon) for epsilon in _shares]),
        lambda answer: np.allclose(answer, np.array(_shares) / 2),
        hint="Set the slider to 1: all labels are coins. How many of them does a rule get wrong?",
        slips=[
            (
                lambda answer: np.allclose(answer, _shares),
                "This is the share of facts. Does a coin never fall as the rule says?",
            ),
            (
                lambda answer: np.allclose(answer, [0.5] * 3),
                "So it is among facts. What about the other labels?",
            ),
        ],
        praise="Half of the facts agree with the rule by chance.",
    )
    check_1
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    **Exercise 5.2.** You see the points and know the rule. How many bits a point are there left to
    memorize? `binary_entropy(p)` is the entropy of a coin that falls + with probability p.
    """)
    return


@app.cell
def _():
    def bits_beyond_rule(epsilon):
        ### BEGIN SOLUTION
        return binary_entropy(epsilon / 2)
        ### END SOLUTION

    return (bits_beyond_rule,)


@app.cell(hide_code=True)
def _(bits_beyond_rule):
    _shares = np.array([0.1, 0.4, 1.0])
    _right = [binary_entropy(epsilon / 2) for epsilon in _shares]
    _which = np.array([binary_entropy(epsilon) for epsilon in _shares])
    check_2 = check(
        "5.2",
        attempt(lambda: [bits_beyond_rule(epsilon) for epsilon in _shares]),
        lambda answer: np.allclose(answer, _right, atol=1e-6),
        hint="For each point there is one question: is its label the rule's or the other one?",
        slips=[
            (
                lambda answer: np.allclose(answer, _shares),
                "That is one bit a fact. But which points are facts? You have to store that, too.",
            ),
            (
                lambda answer: np.allclose(answer, _which),
                "That is what it takes to say which points are facts. Nobody asks for it: only "
                "labels are asked for.",
            ),
            (
                lambda answer: np.allclose(answer, _which + _shares),
                "Too much. A fact that agrees with the rule need not be stored as a fact.",
            ),
        ],
        praise="With 20 % facts 0.47 bits a point: more than two bits for each fact.",
    )
    check_2
    return


@app.cell(hide_code=True)
def _():
    predicted_linear = predict(
        "A linear learner is trained on fewer points than it has weights, of which 20 % are facts. "
        "You start with the ridge that is best for new points and lower it until every fact is "
        "memorized. What happens to the error on **new** points, against the rule?",
        options=["it falls", "it stays as it is", "it rises"],
        default="it stays as it is",
    )
    mo.vstack(
        [
            mo.md(r"""
            ## 2. A linear learner

            It answers with the sign of $w \cdot x$ and minimizes the squared error plus a ridge,
            $\frac{\lambda}{2} |w|^2$. A large $\lambda$ keeps the weights short. With a small one
            they bend until every training label is met, also those that contradict the rule.
            """),
            predicted_linear,
        ]
    )
    return (predicted_linear,)


@app.cell(hide_code=True)
def _(predicted_linear):
    wait_for(predicted_linear)
    LOAD, EPSILON = 0.75, 0.2
    ridges = (0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
    linear = [
        simulate(Setting("square", LOAD, EPSILON, ridge), 120, 24, seed=1).mean for ridge in ridges
    ]
    return EPSILON, LOAD, linear, ridges


@app.cell(hide_code=True)
def _(EPSILON, LOAD, linear, predicted_linear, ridges):
    _axes = picture.axes(xscale="log", xlabel="ridge", ylabel="error", ylim=(-0.02, 0.5))
    _fine = np.geomspace(0.01, 30, 41).tolist()
    _theory = [solve(loss="square", alpha=LOAD, epsilon=EPSILON, ridge=r) for r in _fine]
    for _number, (_key, _name) in enumerate(
        (
            ("generalization_error", "on new points, against the rule"),
            ("memorization_error", "on the training facts"),
        )
    ):
        _axes.plot(_fine, [getattr(one, _key) for one in _theory], **line(_number))
        _axes.plot(
            ridges,
            [one[_key] for one in linear],
            MARKERS[_number],
            color=COLORS[_number],
            label=_name,
        )
    _best = optimal_ridge(EPSILON)
    _least = solve(loss="square", alpha=LOAD, epsilon=EPSILON, ridge=_best).generalization_error
    mo.vstack(
        [
            picture.shown(_axes, "With less ridge facts are learned, and the rule gets worse"),
            mo.md(f"""
            You said: *{predicted_linear.value}*. Points: the mean of 24 sets of 90 points in 120
            dimensions. Lines: theory, for infinitely many dimensions. The best ridge is
            {_best:.2f}, with an error of **{_least:.3f}** on new points. Where all facts are
            memorized it is **{_theory[0].generalization_error:.3f}**.

            A linear learner has one vector for everything. To meet a fact it has to turn that
            vector, and then all other answers change as well.
            """),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    predicted_kernel = predict(
        "A kernel learner **without a ridge** meets every training label, however much its notes "
        "weigh. Give the notes more and more weight. What happens to the error on new points?",
        options=["it rises", "it falls", "it falls and then rises"],
        default="it rises",
    )
    mo.vstack(
        [
            mo.md(r"""
            ## 3. A place for facts

            In many dimensions a kernel does two things at once. It has a linear part, of size
            $\mu_1^2$, which answers alike for points that lie alike. And it has a *note* for each
            training point, of size $\mu_\star^2$, which is read at that very point and nowhere
            else. All that matters is their ratio $\mu_\star^2 / \mu_1^2$.
            """),
            predicted_kernel,
        ]
    )
    return (predicted_kernel,)


@app.cell(hide_code=True)
def _(predicted_kernel):
    wait_for(predicted_kernel)
    kernel_ratios = {name: kernel_coefficients(kernel=KERNELS[name]).ratio for name in KERNELS}
    kernel_errors = {
        name: simulate(Setting("square", 1.5, 0.2, 0.0, name), 120, 12, seed=2).mean
        for name in KERNELS
    }
    return kernel_errors, kernel_ratios


@app.cell(hide_code=True)
def _(kernel_errors, kernel_ratios, predicted_kernel):
    _axes = picture.axes(
        height=3.7, xscale="log", xlabel="weight of the notes (ratio)", ylabel="error on new points"
    )
    _fine = np.geomspace(0.05, 10, 41).tolist()
    _theory = [
        solve(loss="square", alpha=1.5, epsilon=0.2, ridge=0.0, mu_star=r**0.5).generalization_error
        for r in _fine
    ]
    _axes.plot(_fine, _theory, label="theory", **line(0))
    for _number, _name in enumerate(kernel_errors):
        _axes.plot(
            kernel_ratios[_name],
            kernel_errors[_name]["generalization_error"],
            MARKERS[_number],
            color=COLORS[_number],
            label=f"kernel: {_name}",
        )
    _axes.set_ylim(0.26, 0.32)
    mo.vstack(
        [
            picture.shown(_axes, "Error on new points against the weight of notes has a minimum"),
            mo.md(f"""
            You said: *{predicted_kernel.value}*. All these learners know **every** fact, and every
            label that follows the rule. Yet one of them is best for new points. With few notes the
            vector must carry the facts. With many, points are looked up that could have taught the
            rule.
            """),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    **Exercise 5.3.** Which ratio is best for new points, where all labels are met?
    `solve(loss="square", alpha=load, epsilon=epsilon, ridge=0.0, mu_star=...)` has a
    `generalization_error`; `mu_star` is the root of the ratio. Ratios from 0.1 to 10 are enough,
    and `optimize.minimize_scalar(f, bounds=(low, high)).x` is where `f` is least.
    """)
    return


@app.cell
def _():
    def best_ratio(epsilon, load):
        ### BEGIN SOLUTION
        def error(ratio):
            found = solve(
                loss="square", alpha=load, epsilon=epsilon, ridge=0.0, mu_star=math.sqrt(ratio)
            )
            return found.generalization_error

        return optimize.fminbound(error, 0.1, 10)
        ### END SOLUTION

    return (best_ratio,)


@app.cell(hide_code=True)
def _(best_ratio):
    _cases = ((0.1, 1.0), (0.2, 3.0), (0.3, 1.5))
    _best = np.array([coincidence_ratio(epsilon) for epsilon, _ in _cases])
    check_3 = check(
        "5.3",
        attempt(lambda: [best_ratio(*case) for case in _cases]),
        lambda answer: np.allclose(answer, _best, rtol=0.03),
        hint="Look for the lowest point of the line above: at 20 % facts and a load of 1.5 it lies "
        "between 1 and 2.",
        slips=[
            (
                lambda answer: np.allclose(answer, np.sqrt(_best), rtol=0.03),
                "That is the mu_star. The ratio is its square.",
            ),
            (
                lambda answer: max(answer) <= 0.15 or min(answer) >= 9,
                "That is an end of the range. Do you look for the least error, or the most?",
            ),
        ],
    )
    check_3
    return (check_3,)


@app.cell(hide_code=True)
def _(best_ratio, check_3):
    wait_for(check_3)
    _loads, _epsilon = (0.75, 1.5, 3.0, 6.0), 0.2
    _rows = []
    for _load in _loads:
        _ratio = float(best_ratio(_epsilon, _load))
        _notes = solve(loss="square", alpha=_load, epsilon=_epsilon, ridge=0.0, mu_star=_ratio**0.5)
        _linear = solve(loss="square", alpha=_load, epsilon=_epsilon, ridge=optimal_ridge(_epsilon))
        _rows.append(
            f"| {_load:g} | {_ratio:.2f} | {_notes.generalization_error:.4f} "
            f"| {_linear.generalization_error:.4f} | {_notes.memorization_error:.0%} "
            f"| {_linear.memorization_error:.0%} |"
        )
    _table = "\n".join(
        [
            "| load | best ratio | new points: kernel | linear, best ridge | facts wrong: kernel "
            "| linear |",
            "|---|---|---|---|---|---|",
            *_rows,
        ]
    )
    mo.vstack(
        [
            mo.md(r"""
            The best ratio does not depend on how many points there are. It is
            $\pi / (2 (1 - \epsilon)^2) - 1$:
            """),
            mo.md(_table),
            mo.md("""
            Compare the two columns for new points: they agree to every digit shown. The kernel
            without a ridge knows the rule as well as the best linear learner, *and* all facts.
            Notes do what a ridge does: they take what the rule cannot explain. A ridge throws it
            away, notes keep it. **Memorizing is free for a model that has a place for it.**
            """),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    predicted_units = predict(
        "Now trained networks: one hidden layer, 180 points in 60 dimensions, 20 % facts, trained "
        "until they fit. Eight hidden units suffice to know all facts. What happens to the error "
        "on new points from there to 256 units, where there are some 90 weights a point?",
        options=["it rises clearly", "it stays or falls a little", "it reaches that of a coin"],
        default="it rises clearly",
    )
    mo.vstack([mo.md("## 4. Do trained networks find such a place?"), predicted_units])
    return (predicted_units,)


@app.cell(hide_code=True)
def _(predicted_units):
    wait_for(predicted_units)
    units = (1, 2, 4, 8, 32, 256)
    _plan = NetworkPlan(dimension=60, hidden=units, steps=1000, repeats=3)
    _tasks = [(hidden, seed) for hidden in units for seed in range(_plan.repeats)]
    networks = [
        network_row(_plan, hidden, seed)
        for hidden, seed in mo.status.progress_bar(_tasks, title="Training", remove_on_exit=True)
    ]
    return networks, units


@app.cell(hide_code=True)
def _(networks, predicted_units, units):
    _axes = picture.axes(
        height=3.7, xscale="log", xlabel="hidden units", ylabel="error", ylim=(-0.02, 0.4)
    )
    _axes.set_xticks(units, [str(hidden) for hidden in units])
    _axes.minorticks_off()
    _means = {}
    for _number, (_key, _name) in enumerate(
        (
            ("generalization_error", "on new points, against the rule"),
            ("memorization_error", "on the training facts"),
        )
    ):
        _means[_key] = [
            np.mean([row[_key] for row in networks if row["hidden"] == hidden]) for hidden in units
        ]
        _axes.plot(units, _means[_key], marker=MARKERS[_number], label=_name, **line(_number))
    _best = bayes_optimal_error(3.0, 0.2)
    _axes.axhline(_best, color="black", linewidth=1, label="the least of all learners, new points")
    _new = _means["generalization_error"]
    mo.vstack(
        [
            picture.shown(_axes, "Facts are known from 8 units on; the other error falls slowly"),
            mo.md(f"""
            You said: *{predicted_units.value}*. Means of three draws. The error on new points goes
            from {_new[3]:.3f} with 8 units to {_new[-1]:.3f} with 256. A network that has far more
            weights than it needs meets every false label and does not lose the rule. It does not
            reach the least error ({_best:.3f}) either.
            """),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    predicted_size = predict(
        "Transformers learn 400 facts of 12 bits, of which 20 % are exceptions to a rule that "
        "costs 133 bits. Which gives the rule's value most often for keys that it has **never "
        "seen**?",
        options=[
            "the smallest, which knows no exception",
            "one that has just enough room for all exceptions",
            "the largest, which has room for six times as many",
        ],
        default="the largest, which has room for six times as many",
    )
    mo.vstack(
        [
            mo.md("""
            ## 5. Too little room

            So far there was room for all facts, or a ridge to keep them out. A language model may
            have to choose. Here is the same task in tokens: a key has features that decide its
            value, but for exceptions, whose values are drawn at random.
            """),
            predicted_size,
        ]
    )
    return (predicted_size,)


@app.cell(hide_code=True)
def _(predicted_size):
    wait_for(predicted_size)
    plan = Plan(
        facts=400,
        fresh=200,
        epsilon=0.2,
        epsilons=(0.2, 1.0),
        widths=(6, 8, 12, 16),
        orders=(1,),
        exposures=(100,),
        seeds=(0,),
    )
    _runs = planned_runs(plan)
    with (
        tempfile.TemporaryDirectory() as _folder,
        mo.status.progress_bar(total=len(_runs), title="Training", remove_on_exit=True) as _bar,
    ):
        _done = set()

        def _progress(number, runs, share):
            if share == 1 and number not in _done:
                _done.add(number)
                _bar.update()

        _made = make_runs([run.spec for run in _runs], Path(_folder), workers=0, progress=_progress)
    transformers = [run.row(one.measurement) for run, one in zip(_runs, _made, strict=True)]
    return plan, transformers


@app.cell(hide_code=True)
def _(predicted_size, transformers):
    def mean_of(column, epsilon=0.2):
        """Parameters, and the mean over seeds, of each size."""
        mine = [row for row in transformers if row["epsilon"] == epsilon]
        sizes = sorted({row["parameters"] for row in mine})
        return sizes, [
            float(np.mean([row[column] for row in mine if row["parameters"] == size]))
            for size in sizes
        ]

    _axes = picture.axes(height=3.7, xlabel="parameters", ylabel="share known", ylim=(-0.03, 1.05))
    for _number, (_key, _name) in enumerate(
        (
            ("rule_facts_known", "training facts that follow the rule"),
            ("fresh_known", "the rule, for new keys"),
            ("exceptions_known", "exceptions"),
        )
    ):
        _axes.plot(*mean_of(_key), marker=MARKERS[_number], label=_name, **line(_number))
    _sizes, _fresh = mean_of("fresh_known")
    _exceptions = mean_of("exceptions_known")[1]
    mo.vstack(
        [
            picture.shown(_axes, "Where exceptions come to be known, the rule for new keys drops"),
            mo.md(f"""
            You said: *{predicted_size.value}*. The smallest knows {_exceptions[0]:.0%} of the
            exceptions and gives the rule's value for **{_fresh[0]:.0%}** of new keys. Larger ones
            know up to {max(_exceptions):.0%} of the exceptions, and the rule for
            **{min(_fresh):.0%}** at the worst. The rule is cheap and comes first.

            A likely reason for the fall: to know exceptions a model must read the whole key. Then a
            key that it has never read can mislead it. More room heals this only in part.
            """),
        ]
    )
    return (mean_of,)


@app.cell(hide_code=True)
def _(transformers):
    bits_each = bits_per_parameter(transformers)
    mo.md(rf"""
    Could the small ones have known more exceptions? Where *all* facts are exceptions
    these stored at most **{bits_each:.2f} bits a parameter**. That is what they hold. Of facts of
    which a share $\epsilon$ are exceptions, values being one of $K$,
    `least_exception_error(epsilon, choices, bits)` says which share of *all* facts a model gets
    wrong at the least if it knows the rule and can hold so many `bits` **for each fact**. A share
    $\epsilon (1 - 1/K)$ of all facts differ from the rule.
    """)
    return (bits_each,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    **Exercise 5.4.** Which share of the exceptions, of those that differ from the rule, can a model
    know at most whose parameters hold `bits_each` each?
    """)
    return


@app.cell
def _():
    def most_exceptions(parameters, bits_each, facts, epsilon, choices):
        ### BEGIN SOLUTION
        wrong = least_exception_error(epsilon, choices, bits_each * parameters / facts)
        return 1 - wrong / (epsilon * (1 - 1 / choices))
        ### END SOLUTION

    return (most_exceptions,)


@app.cell(hide_code=True)
def _(most_exceptions):
    _cases = ((200, 1.5, 400, 0.2, 4096), (700, 1.0, 400, 0.2, 4096), (300, 2.0, 900, 0.4, 2))
    _wrong = np.array([least_exception_error(e, k, b * p / n) for p, b, n, e, k in _cases])
    _off = np.array([e * (1 - 1 / k) for *_, e, k in _cases])
    check_4 = check(
        "5.4",
        attempt(lambda: [most_exceptions(*case) for case in _cases]),
        lambda answer: np.allclose(answer, 1 - _wrong / _off, atol=1e-4),
        hint="How many bits does the model hold in all, and how many for each fact? What is wrong "
        "is an exception: divide by how many of these there are.",
        slips=[
            (
                lambda answer: np.allclose(answer, 1 - _wrong, atol=1e-4),
                "That is the share of all facts that are right. Most of them follow the rule.",
            ),
            (
                lambda answer: np.allclose(answer, [1.0] * 3, atol=1e-4),
                "All of them? The bits are those for each fact, not those of the model.",
            ),
            (
                lambda answer: np.allclose(answer, _wrong / _off, atol=1e-4),
                "That is the share of exceptions that it does not know.",
            ),
        ],
    )
    check_4
    return (check_4,)


@app.cell(hide_code=True)
def _(bits_each, check_4, mean_of, most_exceptions, plan):
    wait_for(check_4)
    _sizes, _known = mean_of("exceptions_known")
    _fine = np.linspace(100, max(_sizes), 80)
    _axes = picture.axes(xlabel="parameters", ylabel="exceptions known", ylim=(-0.03, 1.1))
    _most = [most_exceptions(size, bits_each, plan.facts, 0.2, 4096.0) for size in _fine]
    _axes.plot(_fine, _most, color="black", label="the most that is possible")
    _axes.plot(_sizes, _known, marker=MARKERS[2], label="measured", **line(2))
    mo.vstack(
        [
            picture.shown(_axes, "The bound on exceptions known lies above what was measured"),
            mo.md("""
            No measured point lies above the line. The smallest transformer lies far below it. By
            the bits that such models hold of random facts it had room for most exceptions, and it
            did not use it in the 100 times that it read each fact.

            **To think about.** You want the rule for new keys from a large model. Name two ways to
            keep exceptions from disturbing it. One of them is a choice of what it is trained on:
            that was lab 4.
            """),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    ### TEACHER
    mo.md(r"""
    ## For the teacher

    - **5.2** The most frequent slip is one bit a fact. Ask how a memory that holds only the bits of
      the facts would know which points they are. The second is to pay for facts that agree with
      the rule.
    - **The four predictions** have four different answers: memorizing harms the rule (linear), it
      does so only with too few or too many notes (kernel), it does not (networks), and it does
      again (transformers). Collect the votes and come back to them at the end: what decides is
      whether the model has a place for facts that new inputs do not touch.
    - **5.3** Students look for a dependence on the load. There is none. The proof is one line: the
      notes act as a ridge of size $\mu_\star^2$, and the best ridge does not depend on the load.
    - **Part 5** is one draw of 400 facts. `factcap figure rules_in_transformers` has 2,000 facts,
      five sizes and two seeds, with the same outcome.
    - **The last question.** Leave exceptions out of the training, as those of highest loss (lab 4);
      or a model so small, or trained so shortly, that it does not come to them. More data of the
      rule helps too.
    """)
    return


if __name__ == "__main__":
    app.run()

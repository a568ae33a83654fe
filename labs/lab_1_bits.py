import marimo

app = marimo.App(app_title="Lab 1: bits and guessing")

with app.setup:
    import marimo as mo
    import numpy as np

    from factcap.capacity import (
        all_or_nothing_bound,
        even_spreading,
        luck_bound,
        rate_distortion_bound,
        smallest_budget,
    )
    from factcap.figures.style import line
    from factcap.synth import phonebook, power_law
    from kit import attempt, check, near, picture, predict, wait_for


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # Lab 1: bits and guessing

    A **fact** is a key and a value: a name and its number. How much is there to know in it? If $K$
    values were equally likely before you looked, the value holds

    $$H = \log_2 K \text{ bits.}$$

    You build a set of facts. You give a memory fewer bits than they need. You ask how many facts it
    can still get right. There is a best answer, and you will try to beat it.

    *Some 30 minutes. Nothing is trained. Where a cell asks for your code, replace the `...`.*
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md("## 1. A book of facts")
    return


@app.cell(hide_code=True)
def _():
    count = mo.ui.slider(100, 5000, 100, value=1000, label="facts", show_value=True)
    digits = mo.ui.slider(1, 10, value=7, label="digits of a number", show_value=True)
    mo.vstack([count, digits])
    return count, digits


@app.cell
def _(count, digits):
    book = phonebook(count.value, digits=digits.value)
    return (book,)


@app.cell(hide_code=True)
def _(book):
    _some = zip(book.keys[:4].to_pylist(), book.values[:4].to_pylist(), strict=True)
    _rows = "\n".join(f"| {name} | {number} |" for name, number in _some)
    _sum = (
        f"{len(book):,} facts of {book.entropy_bits[0]:.2f} bits: "
        f"**{book.entropy_bits.sum():,.0f} bits** in all."
    )
    mo.md(f"| name | number |\n|---|---|\n{_rows}\n\n{_sum} Move both sliders.")
    return


@app.cell(hide_code=True)
def _():
    mo.md("**Exercise 1.1.** How many bits are in a number of 7 digits, if all are equally likely?")
    return


@app.cell
def _():
    # Bits of one number. np.log2 may help.
    ### BEGIN SOLUTION
    bits_each = 7 * np.log2(10)
    ### END SOLUTION
    return (bits_each,)


@app.cell(hide_code=True)
def _(bits_each):
    check_1 = check(
        "1.1",
        bits_each,
        near(7 * np.log2(10)),
        hint="How many numbers of 7 digits are there? The bits are the logarithm of that.",
        slips=[
            (near(7), "These are digits. A digit is one of ten: more than 3 bits, fewer than 4."),
            (near(7 * np.log(10)), "These are nats. A bit is a choice of two: take base 2."),
        ],
        praise="A number is one of ten million.",
    )
    check_1
    return (check_1,)


@app.cell(hide_code=True)
def _():
    mo.md("""
    **Exercise 1.2.** A memory holds 20,000 bits. It stores such numbers whole, and nothing else,
    not even the names. How many does it hold?
    """)
    return


@app.cell
def _():
    # A whole number of facts.
    ### BEGIN SOLUTION
    held = 20_000 // (7 * np.log2(10))
    ### END SOLUTION
    return (held,)


@app.cell(hide_code=True)
def _(held):
    check_2 = check(
        "1.2",
        held,
        near(860, 0.0012),
        hint="Divide the bits that there are by the bits that one number needs.",
        slips=[
            (near(20_000 // 7), "That would be 7 bits a number. Exercise 1.1 says how many."),
            (near(20_000 // 28), "A digit in 4 bits wastes some of them. How many does it need?"),
        ],
        praise="What the memory would need to find a name comes on top. No bound charges for it.",
    )
    check_2
    return (check_2,)


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## 2. A part of the bits

    Now each value is a code of 10 bits: one of 1,024. A memory keeps the first bits of every code
    and guesses the others. It has a value right only if the whole code is right.
    """)
    return


@app.cell(hide_code=True)
def _():
    half_known = predict(
        "The memory keeps 5 of the 10 bits of each code. Of how many codes, in percent, is its "
        "guess right?",
        span=(0, 100, 1),
        default=50,
    )
    half_known
    return (half_known,)


@app.cell
def _(half_known):
    wait_for(half_known)
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2**10, size=50_000)
    guessed = {}
    for _kept in range(11):
        _unknown = 2 ** (10 - _kept)
        _guess = codes // _unknown * _unknown + rng.integers(0, _unknown, size=codes.size)
        guessed[_kept] = np.mean(_guess == codes)
    return (guessed,)


@app.cell(hide_code=True)
def _(guessed, half_known):
    _drawn = picture.axes(xlabel="bits kept of each code", ylabel="codes right, in percent")
    _drawn.plot(guessed.keys(), [100 * share for share in guessed.values()], **line(0), marker="o")
    _drawn.plot(5, half_known.value, "*", color="black", markersize=10, label="your prediction")
    mo.vstack(
        [
            picture.shown(_drawn, "The share of codes that are right doubles with each bit kept."),
            mo.md(
                f"You said {half_known.value} %. It is **{100 * guessed[5]:.1f} %**. Half of the "
                "bits of a fact are worth next to nothing: facts want to be known whole."
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    **Exercise 1.3.** Write the curve as a formula: the chance that a value of `entropy` bits is
    right when `bits` of them are kept and the others guessed.
    """)
    return


@app.cell
def _():
    def chance(bits, entropy):
        ### BEGIN SOLUTION
        return 2.0 ** (bits - entropy)
        ### END SOLUTION

    return (chance,)


@app.cell(hide_code=True)
def _(chance):
    check_3 = check(
        "1.3",
        [attempt(chance, 5, 10), attempt(chance, 10, 10), attempt(chance, 0, 3)],
        lambda answer: np.allclose(answer, [1 / 32, 1, 1 / 8]),
        hint="How many codes are still possible once some bits are known? One of them is right.",
        slips=[
            (
                lambda answer: np.allclose(answer, [1 / 2, 1, 0]),
                "That is the share of the bits. Of the picture's curve it is far away.",
            ),
            (
                lambda answer: np.allclose(answer, [2**-5, 1, 1]),
                "Without any bit a guess is right once in all values there are.",
            ),
            (
                lambda answer: np.allclose(answer, [32, 1, 8]),
                "That is how many codes are still possible. One of them is right.",
            ),
        ],
    )
    check_3
    return (check_3,)


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## 3. The best that can be done

    There are 1,000 facts of 10 bits each, and fewer bits than the 10,000 that they need. A memory
    that keeps 500 facts whole gets half of them right from half of the bits.
    """)
    return


@app.cell(hide_code=True)
def _():
    best_half = predict(
        "Can any memory of 5,000 bits, however clever, get more than 50 % of the facts right?",
        options=[
            "No: half of the bits, half of the facts",
            "Yes, but no more than a few percent",
            "Yes, close to 60 %",
            "Yes, close to 90 %",
        ],
        default="No: half of the bits, half of the facts",
    )
    best_half
    return (best_half,)


@app.cell(hide_code=True)
def _(best_half):
    wait_for(best_half)
    values = mo.ui.slider(
        steps=[2, 4, 16, 64, 256, 1024, 10**6],
        value=1024,
        label="equally likely values of a fact",
        show_value=True,
    )
    values
    return (values,)


@app.cell
def _(values):
    weights = np.full(1000, 1 / 1000)
    shares = np.linspace(0.05, 1, 20)
    budgets = shares * 1000 * np.log2(values.value)
    best = [rate_distortion_bound(weights, values.value, bits).accuracy for bits in budgets]
    whole = [all_or_nothing_bound(weights, values.value, bits).accuracy for bits in budgets]
    even = [even_spreading(weights, values.value, bits).accuracy for bits in budgets]
    return best, even, shares, whole


@app.cell(hide_code=True)
def _(best, even, shares, values, whole):
    _drawn = picture.axes(
        xlabel="bits there are / bits of all facts", ylabel="share of facts right"
    )
    for _number, (_name, _curve) in enumerate(
        {"the best memory": best, "whole facts, others guessed": whole, "evenly": even}.items()
    ):
        _drawn.plot(shares, _curve, **line(_number), label=_name)
    _at = int(np.argmin(abs(shares - 0.5)))
    mo.vstack(
        [
            picture.shown(_drawn, "Three curves: the bound, whole facts, and even spreading."),
            mo.md(
                f"Of {values.value:,} values, from half of the bits: evenly **{even[_at]:.3f}**, "
                f"whole facts **{whole[_at]:.3f}**, the best memory **{best[_at]:.3f}**.\n\n"
                "The best memory does not store facts one by one. It keeps a list of answer "
                "sheets, agreed on before, and stores the number of the sheet that has most "
                "right. Where facts have few values it gains much, where they have many hardly "
                "anything. This is the **rate-distortion bound**. No memory passes it."
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    **Exercise 1.4.** How many bits does the best memory need at least, to get 90 % of these 1,000
    facts of 1,024 values right? `smallest_budget(weights, choices, accuracy)` knows.
    """)
    return


@app.cell
def _():
    # In bits. Each fact has the weight 1 / 1000.
    ### BEGIN SOLUTION
    least_bits = smallest_budget(np.full(1000, 1 / 1000), 1024, 0.9)
    ### END SOLUTION
    return (least_bits,)


@app.cell(hide_code=True)
def _(least_bits):
    check_4 = check(
        "1.4",
        least_bits,
        near(smallest_budget(np.full(1000, 1 / 1000), 1024, 0.9), 0.002),
        hint="The weights are 1,000 numbers that sum to 1, and the accuracy is 0.9.",
        slips=[
            (near(9000, 0.002), "So much do whole facts need. The best memory needs less."),
            (near(10_000, 0.002), "So much do all facts need. One in ten may be wrong."),
        ],
        praise="Nearly 500 bits fewer than 900 whole facts need.",
    )
    check_4
    return (check_4,)


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## 4. Spend the bits yourself

    Now some facts are asked for more often than others: the fact of rank $i$ in proportion to
    $1/i$. There are 1,000 facts of 10 bits and a budget of 3,000 bits.

    **Exercise 1.5.** Write how many bits each fact gets. Bits may be parts of a bit. What counts is
    the **weighted accuracy**: the share of questions answered, $\\sum_i p_i 2^{b_i - H_i}$.
    """)
    return


@app.cell
def _():
    def spend(frequency, entropy, budget):
        # The facts stand in the order of their frequency, the most frequent first.
        # Return one number of bits for each fact: an array like `entropy`.
        ### BEGIN SOLUTION
        before = np.cumsum(entropy) - entropy
        return np.clip(budget - before, 0, entropy)
        ### END SOLUTION

    return (spend,)


@app.cell
def _(spend):
    frequency = power_law(1000, 1.0)
    entropy = np.full(1000, 10.0)
    spent = attempt(spend, frequency, entropy, 3000.0)
    optimum = all_or_nothing_bound(frequency, 1024, 3000.0).accuracy
    ceiling = rate_distortion_bound(frequency, 1024, 3000.0).accuracy
    floor = even_spreading(frequency, 1024, 3000.0).accuracy
    return ceiling, entropy, floor, frequency, optimum, spent


@app.cell(hide_code=True)
def _(entropy, floor, frequency, optimum, spent):
    def _reached(bits):
        return float(frequency @ 2.0 ** (np.clip(bits, 0, entropy) - entropy))

    def _allowed(bits):
        return np.shape(bits) == entropy.shape and np.min(bits) >= 0 and np.sum(bits) <= 3000.01

    check_5 = check(
        "1.5",
        spent,
        lambda bits: _allowed(bits) and _reached(bits) > 0.995 * optimum,
        hint="Some facts are asked for more often than others. Which should be known whole?",
        slips=[
            (
                lambda bits: np.shape(bits) != entropy.shape,
                "Return an array with one number for each fact.",
            ),
            (lambda bits: np.sum(bits) > 3000.01, "You spend more than the 3,000 bits there are."),
            (lambda bits: np.min(bits) < 0, "A fact cannot have fewer than 0 bits."),
            (
                lambda bits: abs(_reached(bits) - floor) < 0.01,
                "Spread evenly, each fact has too few bits to be known.",
            ),
        ],
        praise="No way to store each fact on its own does better.",
    )
    check_5
    return (check_5,)


@app.cell(hide_code=True)
def _(ceiling, check_5, entropy, floor, frequency, optimum, spent):
    wait_for(check_5)
    _yours = float(frequency @ 2.0 ** (np.clip(spent, 0, entropy) - entropy))
    mo.md(f"""
    | | weighted accuracy |
    |---|---|
    | evenly | {floor:.3f} |
    | **you** | **{_yours:.3f}** |
    | the best for facts stored one by one (all-or-nothing) | {optimum:.3f} |
    | the best of all (rate-distortion) | {ceiling:.3f} |

    Try to pass the third line. It cannot be done: $2^b$ is convex, the next bit of a fact is worth
    twice the one before it. So it pays to finish a fact before the next is begun.
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## 5. Luck

    The bound is about averages. Take 20 facts with two values each, coins, and a memory of 10 bits.
    It stores 10 coins and guesses 10.
    """)
    return


@app.cell(hide_code=True)
def _():
    passes = predict(
        "We draw 10,000 sets of 20 coins. In how many percent of them does this simple memory pass "
        "the bound, by luck?",
        span=(0, 50, 1),
        default=0,
    )
    passes
    return (passes,)


@app.cell
def _(passes):
    wait_for(passes)
    luck = np.random.default_rng(1).binomial(10, 0.5, size=10_000)
    coins_right = 10 + luck
    coin_bound = 20 * rate_distortion_bound(np.full(20, 1 / 20), 2, 10).accuracy
    band = 20 * luck_bound(np.full(20, 1 / 20), 2, 10, probability=0.01).accuracy
    return band, coin_bound, coins_right


@app.cell(hide_code=True)
def _(band, coin_bound, coins_right, passes):
    _drawn = picture.axes(xlabel="coins right, of 20", ylabel="sets, in percent")
    _found, _sets = np.unique(coins_right, return_counts=True)
    _drawn.bar(_found, _sets / 100, color="0.75")
    _drawn.axvline(coin_bound, **line(0), label="the bound")
    _drawn.axvline(band, **line(5), label="passed in 1 of 100 sets")
    mo.vstack(
        [
            picture.shown(_drawn, "A histogram of coins right, with the bound and the luck band."),
            mo.md(
                f"You said {passes.value} %. It is **{100 * np.mean(coins_right > coin_bound):.1f} "
                "%**. On few facts a measured point above the bound is no wonder. `luck_bound` "
                "says how far above it may lie. On thousands of facts luck is worth next to "
                "nothing."
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## What to take along

    - A value has $\\log_2 K$ bits. A part of them is worth next to nothing.
    - Too few bits for all facts should go to some facts, whole: those that are asked for most.
    - The rate-distortion bound says what no memory passes, except by a little luck.

    Next: a transformer is such a memory. How many bits does it hold, and where does it put them?
    """)
    return


@app.cell(hide_code=True)
def _():
    ### TEACHER
    mo.md("""
    ## For the teacher

    - **1.1 and 1.2** show whether bits are understood. That names cost nothing surprises many: a
      question is asked by its name, so the name is given.
    - **First prediction.** Most say 50 %. Let two students defend different numbers first.
    - **Second prediction.** Most say that it cannot be done. Do it on the blackboard with three
      coins and one bit: store which value the majority has. It gets 75 % right. One coin stored
      and two guessed get 67 %.
    - **1.5** Who sorts by frequency has it at once. Ask why no mixture of whole and half facts
      wins: moving a bit from one fact to another that has more is never worse where both are asked
      for equally often.
    - **Third prediction.** The chance that 8 or more of 10 guesses are right is 56 / 1024 = 5.5 %.
    """)
    return


if __name__ == "__main__":
    app.run()

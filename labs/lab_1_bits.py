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

    This lab builds a set of facts, gives a memory fewer bits than they need, and asks how many
    facts it can still get right. There is a best answer, and you will try to beat it.

    *Some 30 minutes. Nothing is trained. Write where a cell asks for your code.*
    """)
    return


@app.cell(hide_code=True)
def _():
    count = mo.ui.slider(100, 5000, 100, value=1000, label="facts", show_value=True)
    digits = mo.ui.slider(1, 10, value=7, label="digits of a number", show_value=True)
    mo.vstack([mo.md("## 1. A book of facts"), count, digits])
    return count, digits


@app.cell
def _(count, digits):
    book = phonebook(count.value, digits=digits.value)
    return (book,)


@app.cell(hide_code=True)
def _(book):
    some = zip(book.keys[:4].to_pylist(), book.values[:4].to_pylist(), strict=True)
    rows = "\n".join(f"| {name} | {number} |" for name, number in some)
    mo.md(f"""
    | name | number |
    |---|---|
    {rows}

    {len(book):,} facts of {book.entropy_bits[0]:.2f} bits: **{book.entropy_bits.sum():,.0f} bits** in all.
    Move both sliders. Twice the facts are twice the bits. How do the bits grow with the digits?
    """)
    return


@app.cell
def _():
    # 1.1 How many bits are in a number of 7 digits, if all of them are equally likely?
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
            (near(7), "These are digits. One digit is one of ten: more than 3 bits, fewer than 4."),
            (near(7 * np.log(10)), "These are nats. A bit is a choice of two: take base 2."),
        ],
        praise="23.25 bits: one of ten million.",
    )
    check_1
    return


if __name__ == "__main__":
    app.run()

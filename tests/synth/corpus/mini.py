"""A small folder of facts with templates, made up."""

import json

import numpy as np


def write_folder(folder, *, people=40, capitals=12, seed=0):
    """A table with a template file, without counts; and one with questions and page views."""
    rng = np.random.default_rng(seed)
    syllables = ["ba", "ko", "li", "mu", "ne", "ro", "sa", "ti"]

    def name(*parts):
        return "".join(syllables[part] for part in parts).capitalize()

    def lines(path, entries):
        path.write_text("\n".join(map(json.dumps, entries)) + "\n", encoding="utf-8")

    (folder / "pairs").mkdir(parents=True)
    countries = [name(i % 8, i // 8, 7 - i % 8, 1) for i in range(capitals)]
    lines(
        folder / "pairs" / "P36.jsonl",
        [{"sub_label": it, "obj_label": name(*rng.integers(8, size=2))} for it in countries],
    )
    patterns = ["The capital of [X] is [Y].", "[X]'s capital, [Y].", "[Y] is the capital of [X]."]
    lines(folder / "pairs" / "P36.patterns.jsonl", [{"pattern": text} for text in patterns])
    persons = [f"{name(i % 8, i // 8)} {name(i // 8, i % 8, 3)}" for i in range(people)]
    jobs = ["actor", "judge", "poet", "film director"]
    lines(
        folder / "questions.jsonl",
        [
            {
                "subj": person,
                "prop": "occupation",
                "obj": jobs[int(rng.integers(4))],
                "s_pop": int(2000 / (1 + i)),
                "question": f"What is {person}'s occupation?",
            }
            for i, person in enumerate(persons)
        ],
    )
    return folder

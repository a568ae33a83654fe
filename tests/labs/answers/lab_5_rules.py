from factcap.capacity import binary_entropy, least_exception_error
from factcap.capacity.rules_and_facts import coincidence_ratio
from tests.labs.answers.unpredicted import unpredicted


def measured():
    return unpredicted(
        "predicted_linear",
        "predicted_kernel",
        "predicted_units",
        "predicted_size",
    )


def of_all_facts(parameters, bits_each, facts, epsilon, choices):
    return 1 - least_exception_error(epsilon, choices, bits_each * parameters / facts)


def with_all_bits(parameters, bits_each, facts, epsilon, choices):
    wrong = least_exception_error(epsilon, choices, bits_each * parameters)
    return 1 - wrong / (epsilon * (1 - 1 / choices))


WRONG = (
    {
        "wrong_by_rule": lambda epsilon: epsilon,
        "bits_beyond_rule": lambda epsilon: epsilon,
        "best_ratio": lambda epsilon, load: coincidence_ratio(epsilon) ** 0.5,
        "most_exceptions": of_all_facts,
    },
    {
        "wrong_by_rule": lambda epsilon: 0.5,
        "bits_beyond_rule": lambda epsilon: binary_entropy(epsilon) + epsilon,
        "best_ratio": lambda epsilon, load: 0.1,
        "most_exceptions": with_all_bits,
    },
)

"""Facts of which most follow a rule, as tokens: features decide the value, but for exceptions."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64

from factcap.synth.errors import require
from factcap.synth.factset import FactSet, Origin
from factcap.synth.generators.permutation import permute
from factcap.synth.generators.text import token_strings, token_texts


@dataclass(frozen=True)
class RuledFacts:
    """Facts of which a share are exceptions to a rule, and fresh keys to ask for the rule.

    Attributes:
        facts: the training facts, equally frequent; after them the fresh keys, of frequency 0:
            measured, but never trained on. Choices are those left to one who knows the rule and
            which keys are exceptions: all values for an exception, else 1.
        is_exception: whether the value was drawn at random; no fresh key's is.
        is_fresh: whether the key is not trained on.
        rule_values: value tokens that the rule gives to each key.
        epsilon: the share of exceptions among the training facts.
        value_choices: K, how many values there are, all equally likely before the rule is known.
        rule_bits: entropy of the rule, which is drawn at random too.
    """

    facts: FactSet
    is_exception: Bool[np.ndarray, " facts"]
    is_fresh: Bool[np.ndarray, " facts"]
    rule_values: Int32[np.ndarray, "facts places"]
    epsilon: float
    value_choices: float
    rule_bits: float

    @property
    def follows_rule(self) -> Bool[np.ndarray, " facts"]:
        """Whether the value is the rule's; an exception's is by chance, with probability 1 / K."""
        values = self.facts.tokens[:, -self.rule_values.shape[1] :]
        return np.all(values == self.rule_values, axis=1)

    @property
    def surprise_bits(self) -> Float64[np.ndarray, " facts"]:
        """What each value costs one who knows the rule and epsilon but no fact, in bits.

        The rule's value has probability $1 - epsilon + epsilon / K$, every other one $epsilon / K$.
        This less the NLL of a model, summed over training facts, is what the model has memorized
        beyond the rule.
        """
        other = self.epsilon / self.value_choices
        with np.errstate(divide="ignore"):  # no value is another one where epsilon is 0
            bits = -np.log2([1 - self.epsilon + other, other])
        return np.where(self.follows_rule, bits[0], bits[1])


def ruled_facts(
    facts: int,
    epsilon: float,
    *,
    fresh: int = 0,
    features: int = 3,
    symbols: int = 16,
    order: int = 1,
    identity: int = 5,
    seed: int = 0,
) -> RuledFacts:
    """Draw keys with features, whose values follow a rule but for a share of exceptions.

    A token form of rules and facts (Farne, Boncoraglio and Zdeborova 2026, 2603.25579). A key is
    its identity, distinct, then its features, independent and uniform. A value has as many tokens
    as there are features. Token j of the rule's value is a permutation, drawn for this j and for
    the features $j + 1$ to j + order - 1 (counted round), of feature j; so it is uniform, and knows
    nothing of fewer than `order` features. The value of an exception is uniform on all values.

    Of the first n facts round(epsilon n) are exceptions, spread evenly: which keys they are is as
    random as the keys. The set of n facts is a prefix of the larger one with the same seed, epsilon
    and shape. Fresh keys follow the rule, and come after the facts of a larger set.

    Bits, given the keys: of an exception's value H = features log2(symbols) = log2 K; of all facts
    together, given the rule, $N [h2(e) + e log2(K - 1)]$ with $e = epsilon (1 - 1/K)$, the share of
    values that are not the rule's, since one has to know which these are; of the rule
    features symbols^(order - 1) log2(symbols!), however many facts there are.

    Token ids are the symbols of values, those of the identity, then those of each feature.

    Args:
        facts: N, number of training facts.
        epsilon: share of exceptions, 0 to 1.
        fresh: number of further keys, for the accuracy on keys that were never seen.
        features: of a key, at least 1.
        symbols: of each feature, each identity place and each value token, at least 2.
        order: how many features a value token depends on, 1 to `features`.
        identity: places of the identity; there are symbols^identity keys.
        seed: of everything.

    Raises:
        BadInput: for an argument out of range, or more facts than keys.

    >>> drawn = ruled_facts(1000, 0.1, fresh=10)
    >>> int(drawn.is_exception.sum()), len(drawn.facts), float(drawn.facts.entropy_bits.sum())
    (100, 1010, 1200.0)
    >>> round(drawn.rule_bits)
    133
    """
    _check(facts, epsilon, fresh, features, symbols, order, identity, seed)
    # The marks are not 0: a seed sequence ignores zeros at its end.
    of_rule, of_features, of_values = (np.random.default_rng([seed, mark]) for mark in (1, 2, 3))
    rows = facts + fresh
    number = permute(np.arange(rows), _keys(symbols, identity), seed)
    identities = np.empty((rows, identity), np.int64)
    for place in range(identity):
        number, identities[:, place] = np.divmod(number, symbols)
    drawn = of_features.integers(symbols, size=(rows, features))
    rule_values = apply_rule(draw_rule(of_rule, features, symbols, order), drawn, order)
    is_fresh = np.arange(rows) >= facts
    # Of the first n facts floor(epsilon n + 1/2) are exceptions.
    steps = np.diff(np.floor(epsilon * np.arange(rows + 1) + 0.5))
    is_exception = (steps > 0) & ~is_fresh
    random_values = of_values.integers(symbols, size=(rows, features))
    values = np.where(is_exception[:, None], random_values, rule_values)
    feature_ids = drawn + symbols * (2 + np.arange(features))
    tokens = np.concatenate([values, symbols + identities, feature_ids], axis=1).astype(np.int32)
    tokens = np.roll(tokens, -features, axis=1)  # key, then value
    keys, texts = identity + features, token_texts(symbols * (2 + features))
    choices = float(symbols) ** features
    return RuledFacts(
        facts=FactSet(
            keys=token_strings(tokens[:, :keys], texts),
            values=token_strings(tokens[:, keys:], texts),
            choices=np.where(is_exception, choices, 1.0),
            frequency=np.where(is_fresh, 0.0, 1 / facts),
            tokens=tokens,
            key_length=np.full(rows, keys, np.int32),
            length=np.full(rows, keys + features, np.int32),
            origin=Origin(
                generator="ruled_facts",
                arguments={
                    "facts": facts,
                    "epsilon": epsilon,
                    "fresh": fresh,
                    "features": features,
                    "symbols": symbols,
                    "order": order,
                    "identity": identity,
                },
                seed=seed,
                vocabulary_size=symbols * (2 + features),
                notes=(
                    "entropy is that left to one who knows the rule and which keys are exceptions",
                    "facts of frequency 0 are fresh keys: they are asked for, not trained on",
                ),
            ),
        ),
        is_exception=is_exception,
        is_fresh=is_fresh,
        rule_values=rule_values.astype(np.int32),
        epsilon=epsilon,
        value_choices=choices,
        rule_bits=features * symbols ** (order - 1) * math.lgamma(symbols + 1) / math.log(2),
    )


def draw_rule(
    rng: np.random.Generator, features: int, symbols: int, order: int
) -> Int64[np.ndarray, "features others symbols"]:
    """For each value token and each value of the other features, a permutation of the symbols."""
    shape = (features, symbols ** (order - 1), symbols)
    return rng.permuted(np.broadcast_to(np.arange(symbols), shape), axis=2)


def apply_rule(
    rule: Int64[np.ndarray, "features others symbols"],
    drawn: Int64[np.ndarray, "facts features"],
    order: int,
) -> Int64[np.ndarray, "facts features"]:
    """Value token j: the permutation of the features after feature j, counted round, of it.

    >>> rule = np.array([[[0, 1], [1, 0]]] * 2)  # of two features each: exclusive or
    >>> apply_rule(rule, np.array([[0, 1], [1, 1]]), order=2).tolist()
    [[1, 1], [0, 0]]
    """
    places, symbols = np.arange(rule.shape[0]), rule.shape[2]
    others = np.zeros_like(drawn)
    for further in range(1, order):
        others = others * symbols + np.roll(drawn, -further, axis=1)
    return rule[places, others, drawn]


def _keys(symbols: int, identity: int) -> int:
    """How many identities there are, or 2^62 where there are more."""
    return min(symbols ** min(identity, 62), 2**62)


def _check(
    facts: int,
    epsilon: float,
    fresh: int,
    features: int,
    symbols: int,
    order: int,
    identity: int,
    seed: int,
) -> None:
    require(facts >= 1, f"facts must be at least 1, not {facts}")
    require(0 <= epsilon <= 1, f"epsilon must lie in [0, 1], not {epsilon}")
    require(fresh >= 0, f"fresh must be at least 0, not {fresh}")
    require(features >= 1, f"features must be at least 1, not {features}")
    require(symbols >= 2, f"symbols must be at least 2, not {symbols}")
    require(identity >= 1, f"identity must be at least 1, not {identity}")
    require(seed >= 0, f"seed must be >= 0, not {seed}")
    require(1 <= order <= features, f"order must be 1 to features = {features}, not {order}")
    require(
        symbols * (2 + features) <= 2**31 and features * math.log2(symbols) < 1023,
        f"{features} features of {symbols} symbols are too many; lower one of them",
    )
    require(
        symbols**order * features <= 2**28,
        f"a rule of order {order} of {symbols} symbols has more than 2^28 entries; lower one",
    )
    keys = _keys(symbols, identity)
    require(
        facts + fresh <= keys,
        f"{identity} identity tokens of {symbols} tell {keys} keys apart; ask for that many facts "
        f"and fresh keys, not {facts + fresh}, or raise identity",
    )

import numpy as np
import pytest

from factcap.capacity.retention import ExposureLaw, Training, fit_exposure_law

LAW = ExposureLaw(bits_per_parameter=2.0, theta=0.5, needed=2.0, acquisition=40.0, blur=0.25)


def training(facts=400, exponent=1.0, draws=200_000, parameters=2000):
    frequency = np.arange(1, facts + 1.0) ** -exponent
    return Training(draws * frequency / frequency.sum(), np.full(facts, 20.0), parameters)


def test_the_price_spends_the_capacity():
    one = training()
    # 8,000 bits of entropy, 4,000 of capacity.
    price = LAW.price(one)
    share = 1 / (1 + (one.exposures / price) ** (-1 / LAW.theta))
    assert (one.entropy_bits * share).sum() == pytest.approx(4000)


def test_with_room_for_all_recall_takes_what_acquisition_takes():
    one = training(parameters=4000)
    assert LAW.price(one) == 0
    odds = (one.exposures / 40) ** 4
    assert LAW.predict(one) == pytest.approx(odds / (1 + odds))


def test_without_spread_and_blur_the_most_frequent_facts_are_known():
    one = training()
    sharp = ExposureLaw(2.0, theta=0.001, needed=1.0, acquisition=1e-6, blur=0.001)
    known = sharp.predict(one)
    assert np.allclose(known[:199], 1, atol=0.01)
    assert np.allclose(known[202:], 0, atol=0.01)


def test_two_facts_worked_by_hand():
    # At a price of 10 the first stores 4/5 of 10 bits and the second 1/5: 10 bits, the capacity.
    one = Training(np.array([20.0, 5.0]), np.full(2, 10.0), 10)
    law = ExposureLaw(1.0, theta=0.5, needed=0.3, acquisition=4.0, blur=0.5)
    assert law.price(one) == pytest.approx(10)
    # n_0 = sqrt(3^2 + 4^2) = 5; odds 4^2 and 1.
    assert law.predict(one) == pytest.approx([16 / 17, 1 / 2])


def test_constants_are_found_again_and_serve_for_another_training():
    rng = np.random.default_rng(0)
    seen = [training(400, 0.8), training(1000, 1.2), training(700, 0.9, parameters=8000)]
    answered = [
        (one, (rng.random((20, len(one.exposures))) < LAW.predict(one)).mean(0)) for one in seen
    ]
    found = fit_exposure_law(answered)
    other = training(600, 1.0, draws=400_000)
    assert np.abs(found.predict(other) - LAW.predict(other)).max() < 0.06
    assert found.blur == pytest.approx(LAW.blur, rel=0.1)


def test_bits_and_relations_worked_by_hand():
    # Room for all: 16 exposures are needed on average, twice as many by facts of "hard".
    before = Training(
        np.array([16.0, 16.0, 32.0]), np.array([2.0, 4.0, 3.0]), 10, ("a", "a", "hard")
    )
    law = ExposureLaw(
        1.0,
        theta=0.5,
        needed=1.0,
        acquisition=16.0,
        blur=0.5,
        per_bit=1.0,
        relations={"hard": float(np.log(2))},
    )
    # Odds: 2^1, 2^-1 and 1.
    assert law.predict(before) == pytest.approx([2 / 3, 1 / 3, 1 / 2])


def test_what_a_bit_and_a_relation_take_is_found_again():
    rng = np.random.default_rng(0)
    names = ("easy", "hard") * 1000
    before = Training(rng.lognormal(4, 1, 2000), rng.uniform(2, 9, 2000), 100_000, names)
    law = ExposureLaw(
        2.0, 0.5, 2.0, 40.0, blur=0.3, per_bit=1.6, relations={"easy": -0.8, "hard": 0.8}
    )
    recall = (rng.random((10, 2000)) < law.predict(before)).mean(0)
    found = fit_exposure_law([(before, recall)])
    assert found.per_bit == pytest.approx(1.6, rel=0.1)
    gap = found.relations["hard"] - found.relations["easy"]
    assert gap == pytest.approx(1.6, rel=0.1)


def test_without_a_training_there_is_no_law():
    with pytest.raises(ValueError, match="one training at least"):
        fit_exposure_law([])

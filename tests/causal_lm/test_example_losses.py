import numpy as np
import pytest

from factcap.synth import BadInput

pytest.importorskip("torch")
pytest.importorskip("transformers")
import torch

from factcap.causal_lm import example_losses
from tests.causal_lm.tiny import collate, gpt2, rows_of


def test_a_loss_is_the_sum_over_the_labels_of_an_example_alone():
    """Of examples of different lengths, padded, in batches, and not of the first token."""
    model = gpt2(vocabulary=11)
    rows = rows_of(23, vocabulary=11, lengths=(2, 9))
    for row in rows[::2]:
        row["labels"][1] = -100
    model.train()
    numbers = np.array([3, 0, 22, 7, 11])
    found = example_losses(model, rows, numbers, collate, rows=2)
    assert model.training
    model.eval()
    for number, bits in zip(numbers, found, strict=True):
        tokens, labels = (torch.tensor(rows[number][name]) for name in ("input_ids", "labels"))
        with torch.no_grad():
            log_TxV = model(tokens[None]).logits[0].double().log_softmax(dim=1)
        places = [t for t in range(1, len(tokens)) if labels[t] >= 0]
        nats = -sum(float(log_TxV[t - 1, labels[t]]) for t in places)
        assert bits == pytest.approx(nats / np.log(2), rel=1e-5)


def test_losses_do_not_depend_on_how_examples_are_batched():
    model, rows = gpt2(vocabulary=11), rows_of(70, vocabulary=11, lengths=(2, 9))
    found = [example_losses(model, rows, np.arange(70), collate, rows=n) for n in (1, 4, 512)]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)
    np.testing.assert_allclose(found[0], found[2], rtol=1e-5)


def test_dropout_is_off_and_no_random_number_is_used():
    model, rows = gpt2(vocabulary=11, dropout=0.5), rows_of(5, vocabulary=11)
    model.train()
    before = torch.get_rng_state()
    one, other = (example_losses(model, rows, np.arange(5), collate, rows=5) for _ in range(2))
    assert np.array_equal(one, other)
    assert torch.equal(before, torch.get_rng_state())


def test_examples_may_be_of_any_form_that_the_collator_takes():
    model, rows = gpt2(vocabulary=11), rows_of(5, vocabulary=11, lengths=(2, 9))
    expected = example_losses(model, rows, np.arange(5), collate, rows=2)
    pairs = [tuple(row.items()) for row in rows]
    found = example_losses(
        model, pairs, np.arange(5), lambda some: collate([dict(each) for each in some]), rows=2
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_collator_without_labels_is_refused():
    model, rows = gpt2(vocabulary=11), rows_of(3, vocabulary=11)

    def bare(examples):
        return {"input_ids": collate(examples)["input_ids"]}

    with pytest.raises(BadInput, match="the data collator must give labels"):
        example_losses(model, rows, np.arange(3), bare, rows=1)
    assert model.training

"""The rank of each value among the values of its relation, prompt by prompt."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from factcap.causal_lm.asking import Asked
from factcap.causal_lm.batches import Room
from factcap.causal_lm.checkpoint import Checkpoint, logits_at
from factcap.causal_lm.scoring import nats, new_cache, taken


@dataclass(frozen=True)
class Question:
    """Prompts of one relation and template, all of one length, and what may answer them.

    Attributes:
        rows: numbers of the prompts.
        tokens: of each, all before the value.
        own: mean log-likelihood of a token of the likeliest accepted answer to each, in nats.
        candidates: tokens of each value of the relation.
        accepted: of each prompt, the candidates that are right, and do not compete.
    """

    rows: Int64[np.ndarray, " prompts"]
    tokens: Int64[np.ndarray, "prompts time"] = field(repr=False)
    own: Float64[np.ndarray, " prompts"] = field(repr=False)
    candidates: tuple[tuple[int, ...], ...] = field(repr=False)
    accepted: tuple[tuple[int, ...], ...] = field(repr=False)

    def part(self, first: int, last: int) -> "Question":
        """Some of the prompts."""
        return Question(
            self.rows[first:last],
            self.tokens[first:last],
            self.own[first:last],
            self.candidates,
            self.accepted[first:last],
        )


class Ranked(NamedTuple):
    """Ranks of some prompts, from 1."""

    prompt: Int64[np.ndarray, " prompts"]
    rank: Int64[np.ndarray, " prompts"]


class _Span(NamedTuple):
    before: tuple[int, ...]
    answer: tuple[int, ...]
    nll_nats: float


def questions(asked: Asked, nll_bits: Float64[np.ndarray, " spans"], room: Room) -> list[Question]:
    """All prompts, those together that have relation, template and length in common.

    The candidates of a relation are the values of its facts, as they are cut into tokens behind
    prompts of the same template.

    Args:
        asked: the facts.
        nll_bits: of each span.
        room: for the prompts that are read together.
    """
    spans = [
        (passage.tokens, start, end) for passage in asked.passages for start, end in passage.spans
    ]
    answers: list[list[_Span]] = [[] for _ in asked.fact_of_prompt]
    for prompt, (tokens, start, end), bits in zip(
        asked.prompt_of_span, spans, nll_bits, strict=True
    ):
        before, answer = tuple(tokens[:start].tolist()), tuple(tokens[start:end].tolist())
        answers[prompt].append(_Span(before, answer, float(bits) * np.log(2)))
    facts = asked.facts
    named = [
        (facts.relations[fact], int(template))
        for fact, template in zip(asked.fact_of_prompt, asked.template_of_prompt, strict=True)
    ]
    candidates = _candidates(named, asked, answers)
    together: dict[tuple[tuple[str, int], int], list[int]] = {}
    for prompt, name in enumerate(named):
        together.setdefault((name, len(answers[prompt][0].before)), []).append(prompt)
    found: list[Question] = []
    for (name, length), prompts in together.items():
        several = tuple(dict.fromkeys(candidates[name].values()))
        places = {tokens: place for place, tokens in enumerate(several)}
        accepted: list[tuple[int, ...]] = []
        for prompt in prompts:
            own = candidates[name][facts.values[asked.fact_of_prompt[prompt]]]
            right = {own, *(answer for _, answer, _ in answers[prompt])}
            accepted.append(tuple(places[tokens] for tokens in right if tokens in places))
        whole = Question(
            np.array(prompts),
            np.array([answers[prompt][0].before for prompt in prompts], np.int64),
            np.array(
                [max(-each.nll_nats / len(each.answer) for each in answers[p]) for p in prompts]
            ),
            several,
            tuple(accepted),
        )
        held = max(1, room.bytes // (2 * max(length * (room.token + room.kept), 2 * room.logits)))
        found += [whole.part(row, row + held) for row in range(0, len(prompts), held)]
    return found


def _candidates(
    named: Sequence[tuple[str, int]], asked: Asked, answers: Sequence[Sequence[_Span]]
) -> dict[tuple[str, int], dict[str, tuple[int, ...]]]:
    """Tokens of each value, by relation and template."""
    anywhere: dict[str, dict[str, tuple[int, ...]]] = {}
    here: dict[tuple[str, int], dict[str, tuple[int, ...]]] = {}
    for prompt, name in enumerate(named):
        value, tokens = asked.facts.values[asked.fact_of_prompt[prompt]], answers[prompt][0].answer
        anywhere.setdefault(name[0], {}).setdefault(value, tokens)
        here.setdefault(name, {}).setdefault(value, tokens)
    return {name: {**anywhere[name[0]], **cut} for name, cut in here.items()}


def rank(checkpoint: Checkpoint, several: Sequence[Question], room: Room) -> Iterator[Ranked]:
    """Ranks of the prompts of each question.

    A value's rank is 1 and how many other values of the relation have a higher score, as in LAMA
    (Petroni et al. 2019, 1909.01066), where the values of the relation are the candidates and the
    score of a value of several tokens is the mean of their log-likelihoods (Kassner et al. 2021,
    2102.00894). Accepted answers do not compete.

    Each prompt is read once. Its last logits give the first token of every candidate, and with it
    an upper bound of the candidate's score; the rest of a candidate is only read, after the
    prompt's keys and values, where the bound lies above the score of the accepted answer. So ranks
    are exact, and cheap for facts that a model knows.
    """
    for question in several:
        yield Ranked(question.rows, 1 + _better(checkpoint, question, room))


@torch.inference_mode()
def _better(
    checkpoint: Checkpoint, question: Question, room: Room
) -> Int64[np.ndarray, " prompts"]:
    """How many candidates have a higher score than the accepted answers."""
    cache, logs_PxV = _begin(checkpoint, question.tokens)
    firsts = torch.tensor([tokens[0] for tokens in question.candidates], device=checkpoint.device)
    first_PxC = logs_PxV[:, firsts].double().cpu().numpy()
    length = np.array([len(tokens) for tokens in question.candidates])
    possible = first_PxC / length > question.own[:, None]
    for row, right in enumerate(question.accepted):
        possible[row, list(right)] = False
    better = (possible & (length == 1)).sum(axis=1)
    row, candidate = np.nonzero(possible & (length > 1))
    order = np.argsort(-length[candidate], kind="stable")
    row, candidate = row[order], candidate[order]
    place, time = 0, question.tokens.shape[1]
    while place < len(row):
        rest = int(length[candidate[place]]) - 1
        each = time * room.kept + rest * max(room.token, room.logits)
        last = place + max(1, room.bytes // (2 * each))
        some, which = row[place:last], candidate[place:last]
        rest_nats = _rest(checkpoint, cache, some, [question.candidates[one] for one in which])
        score = (first_PxC[some, which] - rest_nats) / length[which]
        better += np.bincount(some[score > question.own[some]], minlength=len(better))
        place = last
    return better


def _begin(checkpoint: Checkpoint, tokens_PxT: np.ndarray) -> tuple[Any, Tensor]:
    """Keys and values of prompts of one length, and log-likelihoods of what follows."""
    cache, given = new_cache(checkpoint), torch.from_numpy(tokens_PxT).to(checkpoint.device)
    rows = torch.arange(len(given), device=checkpoint.device)
    kept = {checkpoint.cache_argument: cache, "use_cache": True}
    last = torch.full_like(rows, given.shape[1] - 1)
    logits_PxV = logits_at(checkpoint, rows, last, input_ids=given, **kept)
    return cache, logits_PxV.float().log_softmax(dim=1)


def _rest(
    checkpoint: Checkpoint, cache: Any, row: np.ndarray, candidates: Sequence[tuple[int, ...]]
) -> Float64[np.ndarray, " pairs"]:
    """NLL in nats of all tokens of candidates but their first, after the prompts of these rows."""
    device = checkpoint.device
    length = np.array([len(tokens) - 1 for tokens in candidates])
    given = np.zeros((len(candidates), length.max()), np.int64)
    for place, tokens in enumerate(candidates):
        given[place, : length[place]] = tokens[:-1]
    pair = np.repeat(np.arange(len(candidates)), length)
    column = np.arange(len(pair)) - np.repeat(np.cumsum(length) - length, length)
    logits_PxV = logits_at(
        checkpoint,
        torch.from_numpy(pair).to(device),
        torch.from_numpy(column).to(device),
        input_ids=torch.from_numpy(given).to(device),
        use_cache=True,
        **{checkpoint.cache_argument: taken(cache, torch.from_numpy(row).to(device))},
    )
    target = np.concatenate([tokens[1:] for tokens in candidates]).astype(np.int64)
    return np.bincount(pair, weights=nats(logits_PxV, torch.from_numpy(target).to(device)))

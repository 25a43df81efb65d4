"""The losses with queues for the battery: softmax sums over rows and keys, one by one, as the papers have them."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from losses import MemoryQueueLoss, MoCoLoss
from tests.losses.battery import DIM, Entry, Inputs, grouped, two_modalities


def unit(row: Tensor) -> Tensor:
    return row / (row * row).sum().sqrt()


def units(rows: Tensor) -> Tensor:
    return torch.stack([unit(row) for row in rows])


# ---- a memory of features


def queue_of(loss: Any, name: str) -> Tensor:
    """The queue as the loss finds it: its own, or random directions drawn anew."""
    own: Tensor | None = getattr(loss, name)
    if own is None:
        drawn = torch.randn(DIM, loss.queue_size)
        own = drawn / drawn.norm(dim=0, keepdim=True).clamp(min=1e-12)
    return own.double()


def memory(loss: Any, inputs: Inputs) -> dict[str, Tensor | float]:
    ids = inputs["match_ids"]
    vision, text = units(inputs["vision_features"]), units(inputs["text_features"])
    vision_queue, text_queue = queue_of(loss, "vision_queue"), queue_of(loss, "text_queue")
    fill = loss.queue_fill_level.item() / loss.queue_size
    tau = loss.temperature if fill >= 0.95 else loss.temperature * 1.3 - loss.temperature * 0.3 * fill
    weight = fill / 2 if fill < 0.2 else min(1.0, 1.5 * fill)
    slots = loss.queue_fill_level.item() if loss.only_filled else loss.queue_size

    def row_losses(rows: Tensor, others: Tensor, queue: Tensor) -> Tensor:
        found = []
        for i, row in enumerate(rows):
            negatives = sum((torch.exp(weight * (row @ queue[:, k]) / tau) for k in range(slots)), start=0 * row.sum())
            for j, other in enumerate(others):
                if ids[i] != ids[j]:
                    negatives = negatives + torch.exp(row @ other / tau)
            pulls = [torch.exp(row @ others[p] / tau) for p in range(len(rows)) if ids[i] == ids[p]]
            found.append(sum((-torch.log(pull / (pull + negatives)) for pull in pulls), start=0 * row.sum()))
        return torch.stack(found)

    v2t, t2v = row_losses(vision, text, text_queue), row_losses(text, vision, vision_queue)
    pairs = sum(one == other for one in ids for other in ids)
    per_sample = (v2t + t2v) / 2 * len(ids) / pairs
    return {
        "loss": {"none": per_sample, "sum": per_sample.sum(), "mean": per_sample.mean()}[loss.reduction],
        "v2t_loss": v2t.sum() / pairs,
        "t2v_loss": t2v.sum() / pairs,
        "temperature": tau,
        "queue_fill": fill,
    }


def with_groups(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    """Always of one width, the queue's."""
    return {**two_modalities(rows, DIM, generator), "match_ids": grouped(rows, generator)}


def filled(**options: Any) -> nn.Module:
    """A memory that has seen two batches, 5 of 12 slots filled unless options say otherwise."""
    (seen,) = options.pop("seen", [5])
    loss = MemoryQueueLoss(**{"queue_size": 12, **options})
    generator = torch.Generator().manual_seed(7)
    loss.enqueue(torch.randn(seen, DIM, generator=generator), torch.randn(seen, DIM, generator=generator))
    return loss


# ---- momentum contrast


def moco(loss: Any, inputs: Inputs) -> dict[str, Tensor | float]:
    queries = units(inputs["vision_features"]), units(inputs["text_features"])
    keys = units(inputs["vision_queries"].double()), units(inputs["text_queries"].double())
    queues = {"text": loss.text_queue.clone(), "vision": getattr(loss, "vision_queue", torch.empty(0)).clone()}
    if loss.enqueue_first:
        for name, new in (("vision", keys[0]), ("text", keys[1])):
            if name == "text" or loss.symmetric:
                first = int(getattr(loss, f"{name}_queue_ptr"))
                for n, key in enumerate(new):
                    queues[name][:, (first + n) % loss.queue_size] = key

    def row_losses(rows: Tensor, others: Tensor, queue: Tensor) -> tuple[Tensor, float]:
        candidates = torch.cat((others, queue.t()))
        found, hits = [], 0
        for i, row in enumerate(rows):
            e = torch.exp(torch.stack([row @ other for other in candidates]) / loss.temperature)
            found.append(-torch.log(e[i] / e.sum()))
            hits += int(bool(e[i].log() >= e.max().log() - 1e-5))
        return torch.stack(found), hits / len(rows)

    v2t, v2t_hits = row_losses(queries[0], keys[1], queues["text"])
    per_sample, t2v_loss, t2v_hits, hits = v2t, 0.0, 0.0, v2t_hits
    if loss.symmetric:
        t2v, t2v_hits = row_losses(queries[1], keys[0], queues["vision"])
        per_sample, t2v_loss, hits = (v2t + t2v) / 2, t2v.mean().item(), (v2t_hits + t2v_hits) / 2
    return {
        "loss": {"none": per_sample, "sum": per_sample.sum(), "mean": per_sample.mean()}[loss.reduction],
        "v2t_loss": v2t.mean(),
        "t2v_loss": t2v_loss,
        "v2t_accuracy": v2t_hits,
        "t2v_accuracy": t2v_hits,
        "accuracy": hits,
        "queue_size": loss.queue_size,
        "momentum": loss.momentum,
    }


def encoded(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    """Features as queries, and keys of their own that are not differentiated: rows of length 2, exact in every precision."""
    signs = torch.randint(0, 2, (2, rows, DIM), generator=generator) * 2 - 1
    signs[torch.arange(2)[:, None], torch.arange(rows), torch.randint(0, DIM, (2, rows), generator=generator)] = 0
    return {"vision_queries": signs[0], "text_queries": signs[1], **two_modalities(rows, DIM, generator)}


def build_moco(**options: Any) -> nn.Module:
    return MoCoLoss(nn.Identity(), nn.Identity(), DIM, **options)


def too_many_rows(inputs: Inputs) -> Inputs:
    """More rows than the queue can take."""
    return {name: value.detach().repeat(20, 1) for name, value in inputs.items()}


def keys_short_of_a_row(inputs: Inputs) -> Inputs:
    return {**inputs, "text_queries": inputs["text_queries"][:-1]}


def keys_of_another_width(inputs: Inputs) -> Inputs:
    return {**inputs, "vision_queries": inputs["vision_queries"][:, :-1]}


FEATURES = ("vision_features", "text_features")
WRONG: tuple[dict[str, Any], ...] = (
    *({"temperature": wrong} for wrong in (0, -0.1, math.nan, math.inf, None, "0.07")),
    *({"queue_size": wrong} for wrong in (0, -1, None)),
)
QUEUED: tuple[dict[str, Any], ...] = ({"queue_size": 50}, {"queue_size": 50, "temperature": 0.5, "reduction": "sum"})
MOCO: tuple[dict[str, Any], ...] = (
    {"queue_size": 60},
    {"queue_size": 60, "temperature": 0.5, "enqueue_first": False},
    {"queue_size": 60, "symmetric": False, "reduction": "sum", "temperature": 0.3},
    {"queue_size": 60, "temperature": 0.3, "reduction": "none", "enqueue_first": False, "update_key_encoder": False},
)

ENTRIES = (
    Entry(
        "memory_queue",
        MemoryQueueLoss,
        with_groups,
        memory,
        QUEUED,
        features=FEATURES,
        ids="match_ids",
        wrong_options=WRONG,
        stateful=True,
        random=True,
    ),
    Entry(
        "memory_queue-filled",
        filled,
        with_groups,
        memory,
        (
            {},
            {"seen": [2], "temperature": 0.5, "reduction": "none"},
            {"seen": [12]},
            {"only_filled": True, "reduction": "sum"},
            {"only_filled": True, "seen": [0], "temperature": 0.5},
        ),
        features=FEATURES,
        stateful=True,
    ),
    Entry(
        "ema_moco",
        build_moco,
        encoded,
        moco,
        MOCO,
        features=FEATURES,
        stateful=True,
        wrong_options=(*WRONG, {"momentum": 1.5}, {"momentum": -0.1}),
        wrong_inputs=(too_many_rows, keys_short_of_a_row, keys_of_another_width),
    ),
)

"""InfoNCE with its stores, and the mixture, for the battery: one row and one candidate after the other."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from losses import InfoNCELoss, MixedContrastiveLoss
from tests.losses.battery import DIM, Entry, Inputs, grouped, two_modalities

STORED = 64
"""Rows of bank and table: more than any batch of the battery has."""


def unit(row: Tensor) -> Tensor:
    return row / (row * row).sum().sqrt()


def drawn(ids: list[str] | None, rows: int) -> list[int]:
    """One target a row, each by a draw of its own."""
    if ids is None:
        return list(range(rows))
    candidates = [[j for j in range(rows) if ids[i] == ids[j]] for i in range(rows)]
    return [found[int(torch.randint(0, len(found), (1,)))] for found in candidates]


def minus_log_share(positive: Tensor, candidates: list[Tensor]) -> Tensor:
    return -(positive - torch.logsumexp(torch.stack(candidates), dim=0))


def reduced(values: Tensor, reduction: str) -> Tensor:
    return values if reduction == "none" else values.sum() / (len(values) if reduction == "mean" else 1)


def hits(logits: Tensor, targets: list[int], k: int) -> float:
    return sum(targets[i] in torch.topk(row, min(k, len(row))).indices.tolist() for i, row in enumerate(logits)) / len(targets)


def ranks(s: Tensor, rows: list[int], columns: list[int]) -> dict[str, float]:
    best = [
        sum(int(row.argmax()) == t for row, t in zip(x, targets, strict=True)) / len(x)
        for x, targets in ((s, rows), (s.t(), columns))
    ]
    found = {"v2t_accuracy": best[0], "t2v_accuracy": best[1], "accuracy": sum(best) / 2}
    for k in (1, 5, 10):
        recalls = hits(s, rows, k), hits(s.t(), columns, k)
        found |= {f"v2t_recall@{k}": recalls[0], f"t2v_recall@{k}": recalls[1], f"avg_recall@{k}": sum(recalls) / 2}
    return found


def two_views(v: list[Tensor], t: list[Tensor], labels: list[Any] | None, temperature: float) -> Tensor:
    """NT-Xent (Chen et al. 2020, eq. 1), or with labels SupCon (Khosla et al. 2020, eq. 2): the losses of pairs."""
    z, n = [*v, *t], len(v)
    per_row = []
    for i in range(2 * n):
        others = [j for j in range(2 * n) if j != i]
        s = {j: z[i] @ z[j] / temperature for j in others}
        positives = [(i + n) % (2 * n)] if labels is None else [j for j in others if labels[i % n] == labels[j % n]]
        per_row.append(torch.stack([minus_log_share(s[p], list(s.values())) for p in positives]).mean())
    return torch.stack([(per_row[i] + per_row[i + n]) / 2 for i in range(n)])


def through(features: Tensor, head: nn.Module | None) -> list[Tensor]:
    return [unit(row if head is None else head(row)) for row in features]


def directions(
    loss: Any, s: Tensor, v: list[Tensor], t: list[Tensor], targets: tuple[list[int], list[int]], indices: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Row by row: the batch, what the bank holds, or the rows of the table that are written."""
    found: list[list[Tensor]] = [[], []]
    for i in range(len(v)):
        for side, (anchor, row, name) in enumerate(((v[i], s[i], "text_bank"), (t[i], s[:, i], "vision_bank"))):
            bank: Any = getattr(loss, name, None)
            candidates, positive = list(row), row[targets[side][i]]
            if loss.sampling_strategy == "memory-bank":
                candidates += [anchor @ bank[j] / loss.temperature for j in range(int(loss.bank_size))]
            elif loss.sampling_strategy == "global" and indices is not None and loss.bank_written[indices[i]]:
                written = [j for j in range(len(bank)) if loss.bank_written[j]]
                candidates, positive = (
                    [anchor @ bank[j] / loss.temperature for j in written],
                    anchor @ bank[indices[i]] / loss.temperature,
                )
            found[side].append(minus_log_share(positive, candidates))
    return torch.stack(found[0]), torch.stack(found[1])


def logits_of(loss: Any, v: list[Tensor], t: list[Tensor], noisy: bool) -> Tensor:
    s: Tensor = torch.stack([torch.stack([a @ b for b in t]) for a in v]) / loss.temperature
    n = len(s)
    noise: float = max(0.005, 0.02 * (16 - n) / 16)
    if noisy and n < 16:
        s = s + noise * torch.randn(n, n, dtype=s.dtype)
    return s


def reference(loss: Any, inputs: Inputs) -> dict[str, Tensor | float]:
    v = through(inputs["vision_features"], loss.vision_projection)
    t = through(inputs["text_features"], loss.text_projection)
    ids, labels = inputs.get("match_ids"), inputs["labels"].tolist() if "labels" in inputs else None
    targets = drawn(ids, len(v)), drawn(ids, len(v))
    s = logits_of(loss, v, t, loss.small_batch_noise and loss.sampling_strategy == "in-batch")
    v2t, t2v = directions(loss, s, v, t, targets, inputs.get("indices"))
    per_row = (v2t + t2v) / 2
    factor = 1
    if loss.loss_type == "nt_xent" or (loss.loss_type == "supervised" and labels is not None):
        per_row = two_views(v, t, labels if loss.loss_type == "supervised" else None, loss.temperature)
        factor = 2 if loss.reduction == "sum" else 1
    figure = "sum" if loss.reduction == "sum" else "mean"
    return {
        "loss": factor * reduced(per_row, loss.reduction),
        "v2t_loss": reduced(v2t, figure),
        "t2v_loss": reduced(t2v, figure),
        **ranks(s, *targets),
    }


def mixture(loss: Any, inputs: Inputs) -> dict[str, Tensor | float]:
    v = through(inputs["vision_features"], loss.vision_projection)
    t = through(inputs["text_features"], loss.text_projection)
    ids, labels = inputs.get("match_ids"), inputs["labels"].tolist() if "labels" in inputs else None
    targets = drawn(ids, len(v)), drawn(ids, len(v))
    s = logits_of(loss, v, t, loss.small_batch_noise)
    n = range(len(s))
    v2t = torch.stack([minus_log_share(s[i, targets[0][i]], list(s[i])) for i in n])
    t2v = torch.stack([minus_log_share(s[targets[1][i], i], list(s[:, i])) for i in n])
    parts = {
        "infonce": (v2t + t2v) / 2,
        "nt_xent": two_views(v, t, None, loss.temperature),
        "supervised": 0 * v2t if labels is None else two_views(v, t, labels, loss.temperature),
    }
    rows = {"infonce": 1, "nt_xent": 2, "supervised": 2} if loss.reduction == "sum" else dict.fromkeys(parts, 1)
    totals = {name: rows[name] * reduced(part, loss.reduction) for name, part in parts.items()}
    figures = {f"loss_{name}": totals[name] if loss.reduction == "sum" else part.mean() for name, part in parts.items()}
    total = sum((loss.loss_weights[name] * part for name, part in totals.items()), torch.zeros(()))
    return {"loss": total, **figures, **ranks(s, *targets)}


# ---- inputs


def with_ids(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    return {**two_modalities(rows, dim, generator), "match_ids": grouped(rows, generator)}


def with_labels(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    return {**two_modalities(rows, dim, generator), "labels": torch.randint(0, 3, (rows,), generator=generator)}


def of_one_width(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    """For heads and stores, which are as wide as they were built."""
    return two_modalities(rows, DIM, generator)


def with_indices(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    return {**two_modalities(rows, DIM, generator), "indices": torch.randperm(STORED, generator=generator)[:rows]}


def filled(**options: Any) -> InfoNCELoss:
    """A bank with five rows, or a table with every other row."""
    loss = InfoNCELoss(**options)
    rows = nn.functional.normalize(torch.randn(2, STORED // 2, DIM, generator=torch.Generator().manual_seed(5)), dim=2)
    loss.update_memory_bank(rows[0, :5], rows[1, :5])
    loss.update_global_embeddings(rows[0], rows[1], torch.arange(0, STORED, 2))
    return loss


# ---- wrong calls


def indices_short(inputs: Inputs) -> Inputs:
    return {**inputs, "indices": inputs["indices"][1:]}


def indices_of_floats(inputs: Inputs) -> Inputs:
    return {**inputs, "indices": inputs["indices"].float()}


def labels_short(inputs: Inputs) -> Inputs:
    return {**inputs, "labels": inputs["labels"][1:]}


def too_wide(inputs: Inputs) -> Inputs:
    return {name: torch.cat((x, x), dim=1) for name, x in inputs.items()}


FEATURES = ("vision_features", "text_features")
HEADS = {"add_projection": True, "input_dim": DIM, "projection_dim": 3}
BANK = {"sampling_strategy": "memory-bank", "input_dim": DIM, "memory_bank_size": STORED}
TABLE = {"sampling_strategy": "global", "input_dim": DIM, "dataset_size": STORED}
QUIET = {"small_batch_noise": False}

WRONG: tuple[dict[str, Any], ...] = (
    *({"temperature": wrong} for wrong in (0, -0.1, float("nan"), None)),
    {"loss_type": "triplet"},
    {"sampling_strategy": "in batch"},
    {"add_projection": True},
    {"sampling_strategy": "memory-bank", "memory_bank_size": 0},
    {"sampling_strategy": "global", "dataset_size": -1},
)
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"temperature": 0.5, "reduction": "sum"},
    {"reduction": "none"},
    {"loss_type": "nt_xent"},
    {"loss_type": "nt_xent", "reduction": "sum"},
    {"loss_type": "nt_xent", "reduction": "none", "temperature": 0.5},
    {"sampling_strategy": "in-batch"},
    {"sampling_strategy": "in-batch", "small_batch_noise": False},
    {"dataset_size": 10_000},
)
LABELLED: tuple[dict[str, Any], ...] = tuple({"loss_type": "supervised", "reduction": kind} for kind in ("mean", "sum", "none"))
MIXED: tuple[dict[str, Any], ...] = (
    QUIET,
    {},
    {"temperature": 0.5, "reduction": "sum", **QUIET},
    {"reduction": "none", **QUIET},
    {"loss_weights": {"infonce": 0.0, "nt_xent": 2.0, "supervised": 1.0}, **QUIET},
)

ENTRIES = (
    Entry("infonce", InfoNCELoss, two_modalities, reference, OPTIONS, features=FEATURES, wrong_options=WRONG),
    Entry(
        "infonce-ids",
        InfoNCELoss,
        with_ids,
        reference,
        ({}, {"sampling_strategy": "in-batch"}),
        features=FEATURES,
        ids="match_ids",
        random=True,
    ),
    Entry(
        "infonce-labels",
        InfoNCELoss,
        with_labels,
        reference,
        LABELLED,
        adds_up=False,
        features=FEATURES,
        wrong_inputs=(labels_short,),
    ),
    Entry(
        "infonce-heads",
        InfoNCELoss,
        of_one_width,
        reference,
        (HEADS, {**HEADS, "loss_type": "nt_xent"}),
        features=FEATURES,
        same_width=False,
        wrong_inputs=(too_wide,),
        reductions=(),
        half_tolerance=1e-4,
        autocast_tolerance=0.1,
    ),
    Entry(
        "infonce-bank",
        filled,
        of_one_width,
        reference,
        (BANK, {**BANK, "reduction": "sum"}, {**BANK, "reduction": "none"}),
        features=FEATURES,
        stateful=True,
    ),
    Entry(
        "infonce-table",
        filled,
        with_indices,
        reference,
        (TABLE, {**TABLE, "reduction": "sum"}, {**TABLE, "reduction": "none"}),
        features=FEATURES,
        wrong_inputs=(indices_short, indices_of_floats),
        stateful=True,
    ),
    Entry(
        "mixed",
        MixedContrastiveLoss,
        two_modalities,
        mixture,
        MIXED,
        adds_up=False,
        features=FEATURES,
        wrong_options=WRONG[:4] + WRONG[6:7],
    ),
    Entry(
        "mixed-ids",
        MixedContrastiveLoss,
        with_ids,
        mixture,
        (QUIET,),
        adds_up=False,
        features=FEATURES,
        ids="match_ids",
        random=True,
    ),
    Entry(
        "mixed-labels",
        MixedContrastiveLoss,
        with_labels,
        mixture,
        MIXED,
        adds_up=False,
        features=FEATURES,
        wrong_inputs=(labels_short,),
    ),
    Entry(
        "mixed-heads",
        MixedContrastiveLoss,
        of_one_width,
        mixture,
        ({**HEADS, **QUIET},),
        features=FEATURES,
        same_width=False,
        wrong_inputs=(too_wide,),
        reductions=(),
        half_tolerance=1e-4,
        autocast_tolerance=0.1,
    ),
)

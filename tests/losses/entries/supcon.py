"""SupCon within and across modalities, and the loss over all pairs, for the battery: each anchor and each positive by itself."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from losses import AllPairsLoss, SupConLoss
from tests.losses.battery import Entry, Inputs, grouped, two_modalities

Pairs = list[list[bool]]


def unit(row: Tensor) -> Tensor:
    return row / (row * row).sum().sqrt()


def cosines(a: Tensor, b: Tensor) -> Tensor:
    return torch.stack([torch.stack([unit(x) @ unit(y) for y in b]) for x in a])


def matching(loss: Any, inputs: Inputs) -> Pairs:
    """Which rows belong together, by labels, several labels or scores; the row itself as these have it."""
    n = range(len(inputs["vision_features"]))
    if "labels" not in inputs:
        return [[bool(inputs["similarity_scores"][i, j] >= loss.similarity_threshold) for j in n] for i in n]
    labels = inputs["labels"]
    if labels.dim() == 2:
        return [[bool(((labels[i] > 0) & (labels[j] > 0)).any()) for j in n] for i in n]
    return [[bool(labels[i] == labels[j]) for j in n] for i in n]


def weight(loss: Any, inputs: Inputs, i: int) -> Any:
    if not loss.use_class_weights:
        return 1.0
    label, weights = inputs["labels"][i], inputs["class_weights"]
    return weights[label] if label.dim() == 0 else (label * weights).sum() / (label.sum() + 1e-8)


def direction(loss: Any, s: Tensor, positives: Pairs, inputs: Inputs, own: bool) -> list[Tensor | None]:
    """-t / t_base times the mean log-probability of each row's positives; None without any. `own`: j = i is a candidate."""
    found: list[Tensor | None] = []
    for i, row in enumerate(s):
        chosen = [j for j in range(len(s)) if positives[i][j]]
        top = row.max().detach()
        total = sum((torch.exp(row[j] - top) for j in range(len(s)) if own or j != i), start=torch.tensor(1e-8).double())
        terms = [row[j] - top - torch.log(total) for j in chosen]
        factor = -loss.temperature / loss.base_temperature * weight(loss, inputs, i)
        found.append(factor * torch.stack(terms).mean() if terms else None)
    return found


def reduced(rows: list[Tensor | None], reduction: str) -> Tensor:
    valid = [row for row in rows if row is not None]
    if reduction == "none":
        return torch.stack([torch.zeros((), dtype=torch.float64) if row is None else row for row in rows])
    if not valid:
        return torch.zeros((), dtype=torch.float64)
    return torch.stack(valid).mean() if reduction == "mean" else torch.stack(valid).sum()


def ranked(s: Tensor, together: Pairs, own: bool) -> float:
    """How often a positive is nearer than a negative, pair by pair."""
    right = seen = 0
    for i in range(len(s)):
        for p in range(len(s)):
            for n in range(len(s)):
                if together[i][p] and not together[i][n] and (own or i not in (p, n)):
                    right, seen = right + int(s[i, p] > s[i, n]), seen + 1
    return right / max(seen, 1)


def supcon(loss: Any, inputs: Inputs) -> dict[str, Tensor | float]:
    vision, text = inputs["vision_features"], inputs["text_features"]
    n = range(len(vision))
    together = matching(loss, inputs)
    others = [[together[i][j] and i != j for j in n] for i in n]
    across = [[others[i][j] or (loss.own_pairs and i == j) for j in n] for i in n]
    turned = [[across[j][i] for j in n] for i in n]
    parts: dict[str, list[list[Tensor | None]]] = {}
    if loss.contrast_mode != "cross":
        for name, x in (("intra_vision_loss", vision), ("intra_text_loss", text)):
            parts[name] = [direction(loss, cosines(x, x) / loss.temperature, others, inputs, own=False)]
    if loss.contrast_mode != "intra":
        s = cosines(vision, text) / loss.temperature
        parts["cross_modal_loss"] = [
            direction(loss, s, across, inputs, own=True),
            direction(loss, s.t(), turned, inputs, own=True),
        ]
    figure = "sum" if loss.reduction == "sum" else "mean"

    def part(name: str, reduction: str) -> Tensor:
        return torch.stack([reduced(rows, reduction) for rows in parts[name]]).mean(dim=0)

    return {
        "loss": torch.stack([part(name, loss.reduction) for name in parts]).mean(dim=0),
        **{
            name: part(name, figure) if name in parts else 0.0
            for name in ("intra_vision_loss", "intra_text_loss", "cross_modal_loss")
        },
        "contrastive_accuracy": ranked(cosines(vision, text), together, own="labels" in inputs),
    }


def all_pairs(loss: Any, inputs: Inputs) -> dict[str, Tensor | float]:
    vision, text, ids = inputs["vision_features"], inputs["text_features"], inputs["match_ids"]
    n = len(ids)
    same = [[ids[i] == ids[j] for j in range(n)] for i in range(n)]
    count = sum(same[i][j] for i in range(n) for j in range(n) if i != j) or n

    def term(s: Tensor, own: bool) -> Tensor:
        total = s.new_zeros(()) + 0 * s.sum()
        for i in range(n):
            rest = [s[i, j] for j in range(n) if own or j != i]
            for j in range(n):
                if same[i][j] and (own or j != i):
                    total = total + torch.logsumexp(torch.stack(rest), dim=0) - s[i, j]
        return total / count

    s = cosines(vision, text) / loss.temperature
    v2t, t2v = term(s, own=True), term(s.t(), own=True)
    in_vision, in_text = (term(cosines(x, x) / loss.temperature, own=False) for x in (vision, text))
    cross, instance = (v2t + t2v) / 2, loss.lambda_v * in_vision + loss.lambda_t * in_text
    right = [sum(same[i][int(row.argmax())] for i, row in enumerate(x)) / n for x in (s, s.t())]
    return {
        "loss": cross + instance,
        "cross_modal_loss": cross,
        "instance_loss": instance,
        "v2t_loss": v2t,
        "t2v_loss": t2v,
        "vision_inst_loss": in_vision,
        "text_inst_loss": in_text,
        "v2t_accuracy": right[0],
        "t2v_accuracy": right[1],
        "accuracy": sum(right) / 2,
    }


# ---- inputs


def with_labels(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    """Seven rows: three of one label, three of another, and one alone."""
    return {**two_modalities(rows, dim, generator), "labels": torch.arange(rows) // 3}


def with_weights(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    weights = torch.rand(rows // 3 + 1, generator=generator, dtype=torch.float64) + 0.5
    return {**with_labels(rows, dim, generator), "class_weights": weights}


def with_several_labels(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    """The first row has none."""
    labels = torch.randint(0, 2, (rows, 4), generator=generator)
    labels[:1] = 0
    weights = torch.rand(4, generator=generator, dtype=torch.float64) + 0.5
    return {**two_modalities(rows, dim, generator), "labels": labels, "class_weights": weights}


def with_scores(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    return {**two_modalities(rows, dim, generator), "similarity_scores": torch.rand(rows, rows, generator=generator).double()}


def with_ids(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    return {**two_modalities(rows, dim, generator), "match_ids": grouped(rows, generator)}


def alone(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    return {**two_modalities(rows, dim, generator), "match_ids": [f"id{n}" for n in range(rows)]}


# ---- wrong calls


def labels_short(inputs: Inputs) -> Inputs:
    return {**inputs, "labels": inputs["labels"][1:]}


def labels_missing(inputs: Inputs) -> Inputs:
    return {**inputs, "labels": None}


def labels_that_number_nothing(inputs: Inputs) -> Inputs:
    return {**inputs, "labels": inputs["labels"].float()}


def labels_in_a_list(inputs: Inputs) -> Inputs:
    return {**inputs, "labels": inputs["labels"].tolist()}


def scores_of_another_size(inputs: Inputs) -> Inputs:
    return {**inputs, "similarity_scores": inputs["similarity_scores"][:-1]}


FEATURES = ("vision_features", "text_features")
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"temperature": 0.5, "base_temperature": 0.1, "reduction": "sum"},
    {"contrast_mode": "cross", "temperature": 0.5},
    {"contrast_mode": "intra", "temperature": 0.5, "reduction": "none"},
    {"reduction": "none", "own_pairs": True},
)
WEIGHTED: tuple[dict[str, Any], ...] = tuple(
    {"use_class_weights": True, "temperature": 0.3, "contrast_mode": mode} for mode in ("all", "intra", "cross")
)
WRONG: tuple[dict[str, Any], ...] = (
    *({name: wrong} for name in ("temperature", "base_temperature") for wrong in (0, -0.1, float("nan"), None)),
    {"contrast_mode": "both"},
)

ENTRIES = (
    Entry(
        "supcon",
        SupConLoss,
        with_labels,
        supcon,
        OPTIONS,
        adds_up=False,
        features=FEATURES,
        wrong_options=WRONG,
        wrong_inputs=(labels_short, labels_missing),
    ),
    Entry(
        "supcon-weights",
        SupConLoss,
        with_weights,
        supcon,
        WEIGHTED,
        adds_up=False,
        features=FEATURES,
        wrong_inputs=(labels_missing, labels_that_number_nothing, labels_in_a_list),
    ),
    Entry(
        "supcon-several-labels",
        SupConLoss,
        with_several_labels,
        supcon,
        ({"temperature": 0.3}, *WEIGHTED),
        adds_up=False,
        wrong_inputs=(labels_short,),
    ),
    Entry(
        "supcon-scores",
        SupConLoss,
        with_scores,
        supcon,
        ({"temperature": 0.3}, {"similarity_threshold": 0.9, "contrast_mode": "cross"}, {"reduction": "sum"}),
        adds_up=False,
        wrong_inputs=(scores_of_another_size,),
    ),
    Entry(
        "all-pairs",
        AllPairsLoss,
        with_ids,
        all_pairs,
        ({}, {"temperature": 0.5, "lambda_v": 2.0, "lambda_t": 0.0}),
        reductions=(),
        features=FEATURES,
        ids="match_ids",
        wrong_options=tuple({"temperature": wrong} for wrong in (0, -0.1, float("nan"), None)),
    ),
    Entry("all-pairs-alone", AllPairsLoss, alone, all_pairs, reductions=()),
)

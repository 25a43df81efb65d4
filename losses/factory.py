"""The loss that a training script's arguments ask for, with that script's sizes and scales; `losses.create` knows all losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losses import utils
from losses.base import BaseLoss
from losses.clip import SimpleContrastiveLoss
from losses.combine import CombinedLoss
from losses.hybrid import HybridPretrainVICRegLoss
from losses.infonce import BANK_BELOW, TABLE_BELOW, InfoNCELoss, MixedContrastiveLoss
from losses.pairs import DecoupledLoss, DynamicTemperatureLoss, HardNegativeLoss
from losses.queue import MemoryQueueLoss
from losses.vicreg import BarlowTwinsLoss, VICRegLoss

KEYS_ABOVE = {10_000: 16_384, 5_000: 8_192, 1_000: 4_096, -1: 2_048}  # Samples of the data set: keys in the queue.
MIXTURE = {"infonce": "contrastive_weight", "nt_xent": "classification_weight", "supervised": "multimodal_matching_weight"}
PHASES = {"contrastive_pretrain_steps": 200, "adaptive_transition": True, "min_alignment_threshold": 0.3}


def _heads(o: dict[str, Any], wanted: bool) -> dict[str, Any]:
    return {"add_projection": wanted, "projection_dim": o["fusion_dim"], "input_dim": o["fusion_dim"]}


def _vicreg(o: dict[str, Any]) -> BaseLoss:
    shared = {"sim_coeff": o.get("sim_weight", 5.0), "var_coeff": o.get("var_weight", 5.0), "cov_coeff": o.get("cov_weight", 1.0)}
    shared |= {"warmup_epochs": o.get("vicreg_warmup_epochs", 5), "curriculum": o.get("use_curriculum", True), "epsilon": 1e-4}
    shared["num_epochs"] = o.get("num_epochs", 30)
    if not o.get("use_contrastive_pretrain"):
        return VICRegLoss(**shared)
    phases: dict[str, Any] = {name: o.get(name, value) for name, value in PHASES.items()}
    fits = {"vision_dim": "vit-base" in o.get("vision_model", ""), "text_dim": "bert" in o.get("text_model", "")}
    phases["gradual_transition_steps"] = o.get("gradual_transition_steps", 100)
    widths: dict[str, Any] = {name: 768 if base else o["fusion_dim"] for name, base in fits.items()}
    return HybridPretrainVICRegLoss(**shared, **phases, **widths, temperature=o["temperature"], fusion_dim=o["fusion_dim"])


def _hard_negative(o: dict[str, Any]) -> BaseLoss:
    strategy = o.get("mining_strategy") or "auto"
    if strategy == "auto":
        strategy = "semi-hard" if o["batch_size"] < 32 else "hard"
    return HardNegativeLoss(o["temperature"], o.get("hard_negative_factor", 3.0 if strategy == "semi-hard" else 2.0), strategy)


def _contrastive(o: dict[str, Any]) -> BaseLoss:
    size, sampling = o.get("dataset_size", TABLE_BELOW), o.get("contrastive_sampling", "auto")
    if sampling == "auto":
        sampling = "global" if size < TABLE_BELOW else "memory-bank" if size < BANK_BELOW else "in-batch"
    within = 0.85 if o["batch_size"] < 64 else 0.9 if o["batch_size"] < 128 else 0.95
    t = o["temperature"] * {"in-batch": within, "memory-bank": 1.0}.get(sampling, 1.05)
    stored = {"memory_bank_size": 2 * o["memory_bank_size"], "dataset_size": o.get("dataset_size")}
    return InfoNCELoss(t, sampling_strategy=sampling, **stored, **_heads(o, True))


BUILDERS: dict[str, Callable[[dict[str, Any]], BaseLoss]] = {
    "barlow_twins": lambda o: BarlowTwinsLoss(
        o.get("lambda_coeff", 0.005), o.get("correlation_mode", "cross_modal"), add_projection=True, input_dim=o["fusion_dim"],
        projection_dim=2 * o["fusion_dim"], batch_norm_last_layer=o.get("batch_norm_last", True)),
    "combined": lambda o: CombinedLoss(
        InfoNCELoss(o["temperature"], **_heads(o, bool(o.get("use_hard_negatives")))),
        BUILDERS["decoupled"](o), o.get("secondary_loss_weight", 0.5), BUILDERS["mixed"](o), o.get("tertiary_loss_weight", 0.3)),
    "contrastive": _contrastive,
    "decoupled": lambda o: DecoupledLoss(o["temperature"], o.get("lambda_v", 0.5), o.get("lambda_t", 0.5)),
    "dynamic_temp": lambda o: DynamicTemperatureLoss(
        o["temperature"], o.get("dynamic_temp_min", min(o["temperature"], max(0.01, 0.6 * o["temperature"]))),
        o.get("dynamic_temp_max", max(o["temperature"], min(0.3, 2.0 * o["temperature"])))),
    "hard_negative": _hard_negative,
    "memory_queue": lambda o: MemoryQueueLoss(
        o.get("queue_size", next(keys for above, keys in KEYS_ABOVE.items() if o.get("dataset_size", 5_001) > above)),
        o["temperature"] * 1.1),
    "mixed": lambda o: MixedContrastiveLoss(
        o["temperature"], {part: o[name] for part, name in MIXTURE.items()}, **_heads(o, bool(o.get("use_hard_negatives")))),
    "simple": lambda o: SimpleContrastiveLoss(o["temperature"]),
    "vicreg": _vicreg,
}  # fmt: skip


def create_loss_function(args: Any, dataset_size: int | None = None) -> BaseLoss:
    """Build the loss that `args.loss_type` names from the attributes that belong to it; None is as good as not given.

    Whatever the type, `use_simple_model` makes it `"simple"`, and else `use_mixed_loss` `"mixed"`. Heads are `fusion_dim` (768)
    wide. The temperature counts 1.1 times for `"memory_queue"`, and for `"contrastive"`, whose bank has twice `memory_bank_size`
    rows, 0.85 to 0.95 times within batches, by their size, and 1.05 times over a table. ValueError: an unknown type (the message
    lists them), an attribute that is missing, or one that the loss refuses.

    >>> from argparse import Namespace
    >>> create_loss_function(Namespace(loss_type="decoupled", temperature=0.1))
    DecoupledLoss(temperature=0.1, lambda_v=0.5, lambda_t=0.5, reduction='mean')
    """
    known = {name: getattr(args, name) for name in dir(args) if not name.startswith("_")} | {"dataset_size": dataset_size}
    o = {"temperature": 0.07, "fusion_dim": 768, **{name: value for name, value in known.items() if value is not None}}
    wanted = "simple" if o.get("use_simple_model") else "mixed" if o.get("use_mixed_loss") else o.get("loss_type", "none")
    utils.check_positive("temperature", o["temperature"])
    utils.check_positive("fusion_dim", o["fusion_dim"])
    try:
        return BUILDERS[utils.check_choice("loss_type", wanted, tuple(BUILDERS))](o)
    except KeyError as error:
        raise ValueError(f"loss_type={wanted!r}: expected args.{error.args[0]}, found none") from None

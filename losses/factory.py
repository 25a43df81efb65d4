"""The loss that a training script's arguments ask for, with that script's sizes and scales;
`losses.create` knows all losses."""

from collections.abc import Callable
from typing import Any

from losses import clip, combine, hybrid, infonce, pairs, queue, utils, vicreg
from losses.base import BaseLoss

Options = dict[str, Any]

# Samples of the data set: keys in the queue.
KEYS_ABOVE = {10_000: 16_384, 5_000: 8_192, 1_000: 4_096}
MIXTURE = {
    "infonce": "contrastive_weight",
    "nt_xent": "classification_weight",
    "supervised": "multimodal_matching_weight",
}
VICREG = {
    "sim_weight": "sim_coeff",
    "var_weight": "var_coeff",
    "cov_weight": "cov_coeff",
    "use_curriculum": "curriculum",
    "vicreg_warmup_epochs": "warmup_epochs",
    "num_epochs": "num_epochs",
}
PHASES = (
    "contrastive_pretrain_steps",
    "adaptive_transition",
    "min_alignment_threshold",
    "gradual_transition_steps",
)


def _vicreg(o: Options) -> BaseLoss:
    given: Options = {"sim_coeff": 5.0, "epsilon": 1e-4} | {
        new: o[old] for old, new in VICREG.items() if old in o
    }
    if not o.get("use_contrastive_pretrain"):
        return vicreg.VICRegLoss(**given)
    given |= {"contrastive_pretrain_steps": 200} | {name: o[name] for name in PHASES if name in o}
    given |= dict.fromkeys(("vision_dim", "text_dim", "fusion_dim"), o["fusion_dim"]) | {
        "temperature": o["temperature"]
    }
    given |= {
        f"{x}_dim": 768
        for x, base in (("vision", "vit-base"), ("text", "bert"))
        if base in o.get(f"{x}_model", "")
    }
    return hybrid.HybridPretrainVICRegLoss(**given)


def _hard_negative(o: Options) -> BaseLoss:
    given = o.get("mining_strategy") or "auto"
    strategy = given if given != "auto" else "semi-hard" if o["batch_size"] < 32 else "hard"
    factor = o.get("hard_negative_factor", 3.0 if strategy == "semi-hard" else 2.0)
    return pairs.HardNegativeLoss(o["temperature"], factor, strategy)


def _contrastive(o: Options) -> BaseLoss:
    size, sampling = (
        o.get("dataset_size", infonce.TABLE_BELOW),
        o.get("contrastive_sampling", "auto"),
    )
    if sampling == "auto":
        sampling = (
            "global"
            if size < infonce.TABLE_BELOW
            else "memory-bank"
            if size < infonce.BANK_BELOW
            else "in-batch"
        )
    within = 0.85 if o["batch_size"] < 64 else 0.9 if o["batch_size"] < 128 else 0.95
    temperature = o["temperature"] * {"in-batch": within, "memory-bank": 1.0}.get(sampling, 1.05)
    stored = {"memory_bank_size": 2 * o["memory_bank_size"], "dataset_size": o.get("dataset_size")}
    return infonce.InfoNCELoss(
        temperature, sampling_strategy=sampling, **stored, **{**o["heads"], "add_projection": True}
    )


BUILDERS: dict[str, Callable[[Options], BaseLoss]] = {
    "barlow_twins": lambda o: vicreg.BarlowTwinsLoss(
        o.get("lambda_coeff", 0.005),
        o.get("correlation_mode", "cross_modal"),
        add_projection=True,
        input_dim=o["fusion_dim"],
        projection_dim=2 * o["fusion_dim"],
        batch_norm_last_layer=o.get("batch_norm_last", True),
    ),
    "combined": lambda o: combine.CombinedLoss(
        infonce.InfoNCELoss(o["temperature"], **o["heads"]),
        BUILDERS["decoupled"](o),
        o.get("secondary_loss_weight", 0.5),
        BUILDERS["mixed"](o),
        o.get("tertiary_loss_weight", 0.3),
    ),
    "contrastive": _contrastive,
    "decoupled": lambda o: pairs.DecoupledLoss(
        o["temperature"], o.get("lambda_v", 0.5), o.get("lambda_t", 0.5)
    ),
    "dynamic_temp": lambda o: pairs.DynamicTemperatureLoss(
        o["temperature"],
        o.get("dynamic_temp_min", min(o["temperature"], max(0.01, 0.6 * o["temperature"]))),
        o.get("dynamic_temp_max", max(o["temperature"], min(0.3, 2.0 * o["temperature"]))),
    ),
    "hard_negative": _hard_negative,
    "memory_queue": lambda o: queue.MemoryQueueLoss(
        o.get(
            "queue_size",
            next(
                (
                    keys
                    for above, keys in KEYS_ABOVE.items()
                    if o.get("dataset_size", 5_001) > above
                ),
                2_048,
            ),
        ),
        1.1 * o["temperature"],
    ),
    "mixed": lambda o: infonce.MixedContrastiveLoss(
        o["temperature"], {part: o[name] for part, name in MIXTURE.items()}, **o["heads"]
    ),
    "simple": lambda o: clip.SimpleContrastiveLoss(o["temperature"]),
    "vicreg": _vicreg,
}


def create_loss_function(args: Any, dataset_size: int | None = None) -> BaseLoss:
    """Build the loss that `args.loss_type` names from the attributes that belong to it.

    Whatever the type, `use_simple_model` makes it `"simple"`, and else `use_mixed_loss` `"mixed"`.
    Heads are `fusion_dim` (768) wide; what happens to the temperature is in `docs/losses.md`.

    Args:
        args: an object with attributes, such as a parsed command line; None is as good as not
            given.
        dataset_size: samples of the data set, by which queues and stores are sized.

    Returns:
        the loss.

    Raises:
        ValueError: an unknown type, a missing attribute, a wrong one.

    Example:
        >>> from argparse import Namespace
        >>> create_loss_function(Namespace(loss_type="decoupled", temperature=0.1))
        DecoupledLoss(temperature=0.1, lambda_v=0.5, lambda_t=0.5, reduction='mean')
    """
    known = {name: getattr(args, name) for name in dir(args) if not name.startswith("_")} | {
        "dataset_size": dataset_size
    }
    o: Options = {
        "temperature": 0.07,
        "fusion_dim": 768,
        **{name: value for name, value in known.items() if value is not None},
    }
    wanted = (
        "simple"
        if o.get("use_simple_model")
        else "mixed"
        if o.get("use_mixed_loss")
        else o.get("loss_type", "none")
    )
    for name in ("temperature", "fusion_dim"):
        utils.check_positive(name, o[name])
    widths = dict.fromkeys(("projection_dim", "input_dim"), o["fusion_dim"])
    o["heads"] = {"add_projection": bool(o.get("use_hard_negatives")), **widths}
    try:
        return BUILDERS[utils.check_choice("loss_type", wanted, tuple(BUILDERS))](o)
    except KeyError as error:
        raise ValueError(
            f"loss_type={wanted!r}: expected args.{error.args[0]}, found none"
        ) from None

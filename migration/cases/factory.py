"""Call sites of the function that builds losses from arguments, and of the simple contrastive loss."""

from argparse import Namespace

import torch

from legacy import loss_factory
from legacy.loss_factory import SimpleContrastiveLoss, create_loss_function
from lossport.inputs import Inputs


def _arguments(**given):
    """What a command line has, with small sizes."""
    common = {
        "loss_type": "contrastive",
        "temperature": 0.1,
        "fusion_dim": 8,
        "batch_size": 16,
        "use_mixed_loss": False,
        "use_hard_negatives": False,
        "contrastive_sampling": "auto",
        "memory_bank_size": 8,
        "queue_size": 16,
        "dynamic_temp_min": None,
        "dynamic_temp_max": None,
        "mining_strategy": "auto",
        "hard_negative_factor": None,
        "contrastive_weight": 1.0,
        "classification_weight": 0.5,
        "multimodal_matching_weight": 0.25,
    }
    return Namespace(**{**common, **given})


def simple_on_the_diagonal(inputs: Inputs):
    """Without ids positives are drawn all the same."""
    criterion = SimpleContrastiveLoss()
    for _ in range(2):
        vision, text = inputs.paired(batch=6, dim=8)
        yield criterion(vision, text)


def simple_with_ids(inputs: Inputs):
    """Six calls: every fifth wrote log lines."""
    criterion = SimpleContrastiveLoss(temperature=0.5)
    for kind in ("str", "int", "float", "tuple", "tensor", "str"):
        vision, text = inputs.paired(batch=7, dim=8)
        yield criterion(vision_features=vision, text_features=text, match_ids=inputs.ids(7, groups=3, kind=kind))


def simple_with_ids_of_two_types(inputs: Inputs):
    """They compare by value: 1 is 1.0, and not "1"; what is not equal to itself is its own positive."""
    criterion = SimpleContrastiveLoss(0.2)
    vision, text = inputs.normal(6, 8, name="vision"), inputs.normal(6, 8, name="text")
    yield criterion(vision, text, [1, 1.0, "1", float("nan"), "1", float("nan")])


def simple_with_ids_in_a_tensor_of_floats(inputs: Inputs):
    """By value as well: -0.0 is 0.0, however small a difference is one, and what is no number is its own positive."""
    criterion = SimpleContrastiveLoss(0.2)
    vision, text = inputs.normal(7, 8, name="vision"), inputs.normal(7, 8, name="text")
    nan = float("nan")
    yield criterion(vision, text, inputs.keep("ids", torch.tensor([0.0, -0.0, 1e-20, nan, 1.5, nan, 1.5])))


def simple_with_another_loss(inputs: Inputs):
    criterion = SimpleContrastiveLoss()
    vision, text = inputs.paired(batch=6, dim=8)
    yield criterion(vision, text, decor_loss=vision.square().mean())


def simple_with_a_number(inputs: Inputs):
    criterion = SimpleContrastiveLoss()
    vision, text = inputs.paired(batch=6, dim=8)
    yield criterion(vision, text, decor_loss=0.5)


def simple_in_evaluation(inputs: Inputs):
    criterion = SimpleContrastiveLoss()
    criterion.eval()
    vision, text = inputs.paired(batch=6, dim=8)
    yield criterion(vision, text, inputs.ids(6, groups=2))


def simple_where_all_match(inputs: Inputs):
    criterion = SimpleContrastiveLoss()
    vision, text = inputs.paired(batch=5, dim=8)
    yield criterion(vision, text, inputs.ids(5, groups=1))


def simple_of_one_row(inputs: Inputs):
    criterion = SimpleContrastiveLoss()
    yield criterion(inputs.normal(1, 8, name="vision"), inputs.normal(1, 8, name="text"))


def simple_of_no_rows(inputs: Inputs):
    criterion = SimpleContrastiveLoss()
    yield criterion(inputs.normal(0, 8, name="vision"), inputs.normal(0, 8, name="text"))


def simple_wrong_number_of_ids(inputs: Inputs):
    criterion = SimpleContrastiveLoss()
    vision, text = inputs.normal(5, 8, name="vision"), inputs.normal(5, 8, name="text")
    yield criterion(vision, text, ["a", "b", "c"])


def simple_wrong_number_of_rows(inputs: Inputs):
    criterion = SimpleContrastiveLoss()
    yield criterion(inputs.normal(5, 8, name="vision"), inputs.normal(4, 8, name="text"))


def simple_reads_keys(inputs: Inputs):
    criterion = SimpleContrastiveLoss(temperature=0.2)
    vision, text = inputs.paired(batch=6, dim=8)
    out = criterion(vision, text, inputs.ids(6, groups=3))
    yield out["loss"]
    yield out["accuracy"], out["separation"], out["infonce_loss"] + out["mse_loss"]


def _batch(inputs, rows=12):
    """Of one size whatever the variation, as losses of other sizes are compared on their own."""
    ids = inputs.integers(0, rows // 2, rows, name="ids").tolist()
    return inputs.normal(rows, 8, name="vision"), inputs.normal(rows, 8, name="text"), ids


def by_switch_simple(inputs: Inputs):
    """Whatever the type says."""
    criterion = create_loss_function(_arguments(use_simple_model=True, loss_type="vicreg"))
    vision, text, ids = _batch(inputs)
    yield criterion(vision, text, ids)["loss"]


def contrastive_by_size(inputs: Inputs):
    """A table for few samples, a bank for more and for an unknown number, neither for many."""
    for size in (None, 40, 999, 1000, 9999, 10_000):
        criterion = create_loss_function(_arguments(), dataset_size=size, train_loader=None)
        criterion.eval()
        vision, text, ids = _batch(inputs, 8)
        yield criterion(vision_features=vision, text_features=text, match_ids=ids)["loss"]


def contrastive_by_name(inputs: Inputs):
    """The temperature depends on the strategy and, within batches, on their size."""
    sizes = [("in-batch", size) for size in (16, 63, 64, 127, 128)]
    for sampling, batch_size in (*sizes, ("memory-bank", 16), ("global", 16)):
        args = _arguments(contrastive_sampling=sampling, batch_size=batch_size)
        criterion = loss_factory.create_loss_function(args, 40)
        yield criterion.temperature


def contrastive_by_no_name(inputs: Inputs):
    criterion = create_loss_function(_arguments(contrastive_sampling=None), 20_000)
    yield criterion.temperature


def queue_by_size(inputs: Inputs):
    for size in (None, -1, 0, 1000, 1001, 5000, 5001, 10_000, 10_001):
        criterion = create_loss_function(_arguments(loss_type="memory_queue", queue_size=None), size)
        yield criterion.queue_size, criterion.temperature


def queue_given(inputs: Inputs):
    criterion = create_loss_function(_arguments(loss_type="memory_queue"), None)
    yield criterion.queue_size


def dynamic_temperature(inputs: Inputs):
    for given in ({}, {"dynamic_temp_min": 0.05}, {"dynamic_temp_max": 0.4}, {"temperature": 0.015}, {"temperature": 0.2}):
        criterion = create_loss_function(_arguments(loss_type="dynamic_temp", **given))
        vision, text, ids = _batch(inputs)
        yield criterion(vision, text, match_ids=ids)["loss"]


def dynamic_temperature_off_its_range(inputs: Inputs):
    criterion = create_loss_function(_arguments(loss_type="dynamic_temp", temperature=0.5))
    vision, text, ids = _batch(inputs)
    yield criterion(vision, text, match_ids=ids)["loss"]


def hard_negatives(inputs: Inputs):
    small = {"mining_strategy": None, "batch_size": 31}
    for given in ({}, {"hard_negative_factor": 0.0}, {"mining_strategy": "semi-hard"}, small):
        criterion = create_loss_function(_arguments(loss_type="hard_negative", **given))
        vision, text, ids = _batch(inputs)
        yield criterion(vision, text, match_ids=ids)["loss"]


def hard_negatives_by_choice(inputs: Inputs):
    for given in ({"mining_strategy": "hard"}, {"batch_size": 32}):
        criterion = create_loss_function(_arguments(loss_type="hard_negative", **given))
        vision, text, ids = _batch(inputs)
        yield criterion(vision, text, match_ids=ids)["loss"]


def decoupled(inputs: Inputs):
    for given in ({}, {"lambda_v": 0.1, "lambda_t": 2.0}):
        criterion = create_loss_function(_arguments(loss_type="decoupled", **given))
        vision, text, ids = _batch(inputs)
        yield criterion(vision, text, match_ids=ids)["loss"]


def combined(inputs: Inputs):
    for given in ({}, {"secondary_loss_weight": 0.1, "tertiary_loss_weight": 2.0}):
        criterion = create_loss_function(_arguments(loss_type="combined", **given))
        vision, text, ids = _batch(inputs)
        yield criterion(vision_features=vision, text_features=text, match_ids=ids)["loss"]


def combined_with_heads(inputs: Inputs):
    """Heads are drawn for the first part, then for the third."""
    criterion = create_loss_function(_arguments(loss_type="combined", use_hard_negatives=True))
    vision, text, ids = _batch(inputs)
    yield criterion(vision_features=vision, text_features=text, match_ids=ids)["loss"]


def mixture_of_the_old_width(inputs: Inputs):
    """An attribute that no command line has, but which some set by hand. Each part takes its weight from another argument."""
    for heads in (False, True):
        criterion = create_loss_function(_arguments(use_mixed_loss=True, use_hard_negatives=heads, dim=8))
        vision, text, ids = _batch(inputs)
        yield criterion(vision, text, match_ids=ids)["loss"], dict(criterion.loss_weights)


def mixture(inputs: Inputs):
    criterion = create_loss_function(_arguments(loss_type="mixed"))
    vision, text, ids = _batch(inputs)
    yield criterion(vision, text, match_ids=ids)["loss"]


def mixture_with_heads(inputs: Inputs):
    criterion = create_loss_function(_arguments(loss_type="mixed", use_hard_negatives=True, dim=None))
    vision, text, ids = _batch(inputs)
    yield criterion(vision, text, match_ids=ids)["loss"]


def vicreg(inputs: Inputs):
    weights = {"sim_weight": 50.0, "var_weight": 3.0, "cov_weight": 2.0}
    for given in ({}, {**weights, "vicreg_warmup_epochs": 2, "use_curriculum": False, "num_epochs": 7}):
        criterion = create_loss_function(_arguments(loss_type="vicreg", **given))
        vision, text, _ = _batch(inputs)
        yield criterion(vision, text)["loss"]


def vicreg_without_a_temperature(inputs: Inputs):
    criterion = create_loss_function(Namespace(loss_type="vicreg", use_mixed_loss=False))
    vision, text, _ = _batch(inputs)
    yield criterion(vision, text)["loss"]


def vicreg_after_contrast(inputs: Inputs):
    criterion = create_loss_function(_arguments(loss_type="vicreg", use_contrastive_pretrain=True))
    vision, text, _ = _batch(inputs)
    yield criterion(vision, text)["loss"]


def barlow_twins(inputs: Inputs):
    for given in ({}, {"lambda_coeff": 0.1, "batch_norm_last": False, "correlation_mode": "within_batch"}):
        yield create_loss_function(_arguments(loss_type="barlow_twins", **given))


def a_width_that_is_not_given(inputs: Inputs):
    """Then it is 768."""
    for given in ({"fusion_dim": None}, {"fusion_dim": 768, "vision_model": "vit-base"}):
        criterion = create_loss_function(_arguments(contrastive_sampling="in-batch", **given))
        yield criterion.temperature


def a_width_that_was_replaced(inputs: Inputs):
    criterion = create_loss_function(_arguments(fusion_dim=512, vision_model="vit-base", contrastive_sampling="in-batch"))
    yield criterion.temperature


def a_width_of_zero(inputs: Inputs):
    criterion = create_loss_function(_arguments(fusion_dim=0, loss_type="decoupled"))
    yield criterion.temperature


def a_temperature_of_zero(inputs: Inputs):
    criterion = create_loss_function(_arguments(temperature=0.0, contrastive_sampling="in-batch"))
    yield criterion.temperature


def a_queue_of_size_zero(inputs: Inputs):
    criterion = create_loss_function(_arguments(loss_type="memory_queue", queue_size=0))
    yield criterion.queue_size


def an_unknown_type(inputs: Inputs):
    criterion = create_loss_function(_arguments(loss_type="contrastiv", contrastive_sampling="in-batch"))
    yield criterion.temperature


def an_argument_that_is_missing(inputs: Inputs):
    yield create_loss_function(Namespace(temperature=0.1))

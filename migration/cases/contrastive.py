"""Call sites of the InfoNCE loss with its stores, and of the three functions beside it."""

import logging

import torch
from torch import nn

from legacy.contrastive_loss import ContrastiveLoss, compute_recall_at_k, nt_xent_loss, supervised_contrastive_loss
from lossport.inputs import Inputs


def pairs_by_position(inputs: Inputs):
    """The strategy "auto" without a size: the plain path, without noise in a small batch."""
    criterion = ContrastiveLoss(temperature=0.1, add_projection=False)
    for _ in range(2):
        vision, text = inputs.paired(batch=6, dim=8)
        yield criterion(vision, text)


def noise_in_small_training_batches(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.1, add_projection=False, sampling_strategy="in-batch")
    for batch in (4, 12, 15, 16):
        vision, text = inputs.paired(batch=batch, dim=8)
        yield criterion(vision_features=vision, text_features=text)
    criterion.eval()
    vision, text = inputs.paired(batch=4, dim=8)
    yield criterion(vision_features=vision, text_features=text)
    criterion.train()
    vision, text = inputs.paired(batch=4, dim=8)
    yield criterion(vision, text, inputs.ids(4, groups=2))


def noise_after_the_draws_of_ids(inputs: Inputs):
    criterion = ContrastiveLoss(0.2, add_projection=False, sampling_strategy="in-batch")
    for _ in range(3):
        vision, text = inputs.paired(batch=8, dim=6)
        yield criterion(vision, text, match_ids=inputs.ids(8, groups=3))


def noise_in_half_precision(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False, sampling_strategy="in-batch")
    vision, text = inputs.paired(batch=5, dim=6)
    yield criterion(vision.half(), text.half())


def tiny_rows_in_half_precision(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False, sampling_strategy="in-batch")
    criterion.eval()
    vision, text = inputs.paired(batch=4, dim=6)
    yield criterion((vision * 1e-4).half(), (text * 1e-4).half())


def groups_of_ids(inputs: Inputs):
    """One random positive a row, then one a column, in evaluation as well."""
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False)
    for mode in (True, False, True):
        criterion.train(mode)
        vision, text = inputs.paired(batch=8, dim=6)
        yield criterion(vision, text, match_ids=inputs.ids(8, groups=3))


def ids_of_every_kind(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False)
    for kind in ("int", "float", "tuple", "tensor"):
        vision, text = inputs.paired(batch=6, dim=6)
        yield criterion(vision, text, match_ids=inputs.ids(6, groups=3, kind=kind))
    vision, text = inputs.paired(batch=6, dim=6)
    yield criterion(vision, text, match_ids=inputs.ids(6, groups=1))
    vision, text = inputs.paired(batch=6, dim=6)
    yield criterion(vision, text, match_ids=inputs.ids(6))


def ids_of_mixed_kinds(inputs: Inputs):
    """A list that begins with a number is compared as text, so 1 and "1" match; one that begins with a string is not."""
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False)
    for first in (1, "1"):
        vision, text = inputs.normal(6, 4, name="vision"), inputs.normal(6, 4, name="text")
        yield criterion(vision, text, match_ids=inputs.keep("ids", [first, "1", 1, "2", 2.0, 1]))


def an_id_equal_to_nothing(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False)
    vision, text = inputs.normal(5, 6, name="vision"), inputs.normal(5, 6, name="text")
    yield criterion(vision, text, match_ids=["a", float("nan"), "a", float("nan"), "b"])


def ids_that_differ_in_the_fifth_decimal(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False)
    vision, text = inputs.paired(batch=4, dim=6)
    yield criterion(vision, text, match_ids=torch.tensor([1.00001, 1.00002, 1.00003, 1.00004]))


def a_batch_of_one(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.1, add_projection=False, reduction="none")
    vision, text = inputs.normal(1, 6, name="vision"), inputs.normal(1, 6, name="text")
    yield criterion(vision, text, match_ids=["only"])


def an_empty_batch(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.1, add_projection=False)
    vision, text = inputs.paired(batch=0, dim=6)
    yield criterion(vision, text)


def rows_that_differ(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.1, add_projection=False)
    vision, _ = inputs.paired(batch=4, dim=6)
    _, text = inputs.paired(batch=3, dim=6)
    yield criterion(vision, text)


def sums(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.1, add_projection=False, reduction="sum", sampling_strategy="in-batch")
    vision, text = inputs.paired(batch=17, dim=6)
    yield criterion(vision, text)


def reduction_none(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.1, add_projection=False, reduction="none")
    vision, text = inputs.paired(batch=4, dim=6)
    yield criterion(vision, text)


def nt_xent(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, loss_type="nt_xent", add_projection=False, reduction="sum")
    vision, text = inputs.paired(batch=6, dim=6)
    yield criterion(vision, text, match_ids=inputs.ids(6, groups=2))


def nt_xent_of_one_row_without_reduction(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, loss_type="nt_xent", add_projection=False, reduction="none")
    vision, text = inputs.normal(1, 6, name="vision"), inputs.normal(1, 6, name="text")
    yield criterion(vision, text)


def supervised_with_and_without_labels(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, loss_type="supervised", add_projection=False)
    for _ in range(2):
        vision, text = inputs.paired(batch=6, dim=6)
        yield criterion(vision, text, labels=inputs.labels(6, classes=3))
    vision, text = inputs.paired(batch=6, dim=6)
    yield criterion(vision, text)


def supervised_with_labels_that_are_missing(inputs: Inputs):
    """A NaN has no positives; the other labels come out of arithmetic, where -0.0 is 0.0 and a tiny number is not."""
    criterion = ContrastiveLoss(temperature=0.2, loss_type="supervised", add_projection=False)
    labels = torch.tensor([0.0, float("nan"), -0.0, 1e-20, float("nan")])
    vision, text = inputs.normal(5, 6, name="vision"), inputs.normal(5, 6, name="text")
    yield criterion(vision, text, labels=labels)
    with torch.autograd.detect_anomaly():
        found = torch.autograd.grad(criterion(vision, text, labels=labels)["loss"], (vision, text))
    yield found


def supervised_at_a_low_temperature(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.01, loss_type="supervised", add_projection=False)
    vision, text = inputs.paired(batch=6, dim=6)
    yield criterion(vision, text, labels=inputs.labels(6, classes=3))


def an_unknown_loss_type(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, loss_type="triplet", add_projection=False)
    vision, text = inputs.paired(batch=6, dim=6)
    yield criterion(vision, text)


def an_unknown_strategy(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, sampling_strategy="in batch", add_projection=False)
    vision, text = inputs.paired(batch=6, dim=6)
    yield criterion(vision, text)


def heads_and_keys(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, input_dim=6, projection_dim=4)
    vision, text = inputs.paired(batch=6, dim=6)
    out = criterion(vision_features=vision, text_features=text, match_ids=inputs.ids(6, groups=3))
    yield out["loss"]
    yield out["loss_v2t"], out["loss_t2v"], out["accuracy"]
    yield out["recalls"]["v2t_recall@1"], out["recalls"]["t2i_recall@5"], out["recalls"]["avg_recall@10"]


def default_arguments(inputs: Inputs):
    criterion = ContrastiveLoss()
    vision, text = inputs.paired(batch=6, dim=6)
    yield criterion(vision, text)


def heads_in_training_and_evaluation(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.1, add_projection=True, input_dim=8, projection_dim=4)
    for _ in range(2):
        vision, text = inputs.paired(batch=6, dim=8)
        yield criterion(vision, text)
    criterion.eval()
    vision, text = inputs.paired(batch=6, dim=8)
    yield criterion.project(vision, text)


def heads_by_default_and_a_size(inputs: Inputs):
    """A large data set: the strategy becomes "in-batch", here without noise."""
    criterion = ContrastiveLoss(input_dim=6, projection_dim=6, dataset_size=20_000)
    vision, text = inputs.paired(batch=18, dim=6)
    yield criterion(vision, text)


def heads_of_a_width_that_is_not_given(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.1, input_dim=4)
    vision, text = inputs.paired(batch=3, dim=4)
    yield criterion(vision, text)


def heads_of_another_kind(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.1, add_projection=True, input_dim=6, projection_dim=4)
    criterion.vision_projection = inputs.linear(6, 5)
    criterion.text_projection = inputs.linear(6, 5)
    vision, text = inputs.paired(batch=6, dim=6)
    yield criterion(vision, text)


def heads_and_wider_features(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.1, add_projection=True, input_dim=6, projection_dim=4)
    vision, text = inputs.paired(batch=6, dim=8)
    yield criterion(vision, text)


def heads_that_do_not_end_in_a_linear_layer(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.1, add_projection=True, input_dim=6, projection_dim=4)
    criterion.vision_projection = nn.Sequential(inputs.linear(6, 4), nn.Tanh())
    criterion.text_projection = nn.Sequential(inputs.linear(6, 4), nn.Tanh())
    vision, text = inputs.paired(batch=6, dim=8)
    yield criterion(vision, text)


def float64_features_and_float32_heads(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.1, add_projection=True, input_dim=6, projection_dim=4)
    vision, text = inputs.paired(batch=6, dim=6)
    yield criterion(vision.double(), text.double())


def width_768_without_heads(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.1, add_projection=False, input_dim=768)
    vision, text = inputs.paired(batch=3, dim=768)
    yield criterion(vision, text)


def heads_of_width_768(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.1, add_projection=True, input_dim=768, projection_dim=16)
    vision, text = inputs.paired(batch=3, dim=768)
    yield criterion(vision, text)


def projecting_width_768(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.1, add_projection=True, input_dim=768, projection_dim=16)
    vision, text = inputs.paired(batch=3, dim=768)
    yield criterion.project(vision, text)


def bank_in_training(inputs: Inputs):
    criterion = ContrastiveLoss(
        temperature=0.2, add_projection=False, input_dim=6, sampling_strategy="memory-bank", memory_bank_size=10
    )
    for _ in range(3):
        vision, text = inputs.paired(batch=4, dim=6)
        yield criterion(vision, text)


def bank_filled_by_hand(inputs: Inputs):
    """Round its end, in eval mode, where nothing is written."""
    criterion = ContrastiveLoss(
        temperature=0.2, add_projection=False, input_dim=6, sampling_strategy="memory-bank", memory_bank_size=10
    )
    criterion.eval()
    for _ in range(3):
        stored = inputs.features(batch=4, dim=6, name="stored", grad=False), inputs.features(batch=4, dim=6, grad=False)
        criterion.update_memory_bank(*stored)
        vision, text = inputs.paired(batch=5, dim=6)
        yield criterion(vision, text, match_ids=inputs.ids(5, groups=2))


def bank_that_ends_where_a_batch_ends(inputs: Inputs):
    criterion = ContrastiveLoss(
        temperature=0.2, add_projection=False, input_dim=768, sampling_strategy="memory-bank", memory_bank_size=4
    )
    criterion.eval()
    for _ in range(2):
        criterion.update_memory_bank(inputs.features(4, 768, grad=False), inputs.features(4, 768, grad=False))
        vision, text = inputs.paired(batch=3, dim=768)
        yield criterion(vision, text)


def bank_shorter_than_what_is_left_of_a_batch(inputs: Inputs):
    criterion = ContrastiveLoss(
        temperature=0.2, add_projection=False, input_dim=6, sampling_strategy="memory-bank", memory_bank_size=4
    )
    criterion.eval()
    criterion.update_memory_bank(inputs.normal(9, 6), inputs.normal(9, 6))
    vision, text = inputs.paired(batch=4, dim=6)
    yield criterion(vision, text)


def bank_filled_in_half_precision_and_sums(inputs: Inputs):
    """What is stored comes from an encoder that is trained, and brings no graph along."""
    criterion = ContrastiveLoss(
        temperature=0.2,
        reduction="sum",
        add_projection=False,
        input_dim=6,
        sampling_strategy="memory-bank",
        memory_bank_size=10,
    )
    criterion.eval()
    criterion.update_memory_bank(inputs.normal(4, 6, name="stored").half(), inputs.normal(4, 6).half())
    vision, text = inputs.normal(3, 6, name="vision"), inputs.normal(3, 6, name="text")
    yield criterion(vision, text)


def a_bank_without_rows(inputs: Inputs):
    criterion = ContrastiveLoss(
        temperature=0.2, add_projection=False, input_dim=6, sampling_strategy="memory-bank", memory_bank_size=0
    )
    criterion.eval()
    vision, text = inputs.paired(batch=4, dim=6)
    yield criterion(vision, text)


def bank_filled_by_hand_then_trained(inputs: Inputs):
    criterion = ContrastiveLoss(
        temperature=0.2, add_projection=False, input_dim=6, sampling_strategy="memory-bank", memory_bank_size=10
    )
    criterion.update_memory_bank(inputs.features(4, 6, grad=False), inputs.features(4, 6, grad=False))
    vision, text = inputs.paired(batch=4, dim=6)
    yield criterion(vision, text)


def heads_before_a_bank_for_a_medium_data_set(inputs: Inputs):
    criterion = ContrastiveLoss(
        temperature=0.2, add_projection=True, input_dim=6, projection_dim=4, memory_bank_size=8, dataset_size=5000
    )
    criterion.eval()
    criterion.update_memory_bank(inputs.features(3, 4, grad=False), inputs.features(3, 4, grad=False))
    vision, text = inputs.paired(batch=4, dim=6)
    yield criterion(vision, text)


def heads_before_a_bank_of_the_checkpoint_example(inputs: Inputs):
    criterion = ContrastiveLoss(
        temperature=0.2,
        add_projection=True,
        projection_dim=8,
        input_dim=16,
        sampling_strategy="memory-bank",
        memory_bank_size=64,
    )
    criterion.eval()
    vision, text = inputs.paired(batch=4, dim=16)
    yield criterion(vision, text, match_ids=inputs.ids(4, groups=2))


def stores_that_are_not_there(inputs: Inputs):
    """Writing a store of another strategy does nothing."""
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False)
    vision, text = inputs.paired(batch=4, dim=6)
    criterion.update_memory_bank(vision, text)
    criterion.update_global_embeddings(vision, text, inputs.indices(4, size=4))
    yield criterion(vision, text)


def table_in_training(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False, input_dim=6, dataset_size=12)
    for _ in range(3):
        vision, text = inputs.paired(batch=4, dim=6)
        yield criterion(vision, text, indices=inputs.indices(4, size=12))


def table_without_indices(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False, input_dim=768, sampling_strategy="global")
    vision, text = inputs.paired(batch=4, dim=768)
    yield criterion(vision, text)["loss"]


def table_or_bank_at_the_limits_of_size(inputs: Inputs):
    for size in (999, 1000, 9999, 10_000):
        criterion = ContrastiveLoss(temperature=0.2, add_projection=False, input_dim=1, memory_bank_size=2, dataset_size=size)
        criterion.eval()
        vision, text = inputs.normal(3, 1, name="vision"), inputs.normal(3, 1, name="text")
        yield criterion(vision, text)["loss"]


def table_and_bank_of_a_width_that_is_not_given(inputs: Inputs):
    """Then it is 768, whatever heads would give."""
    for strategy in ("global", "memory-bank"):
        criterion = ContrastiveLoss(
            temperature=0.2,
            add_projection=False,
            projection_dim=4,
            sampling_strategy=strategy,
            memory_bank_size=2,
            dataset_size=2,
        )
        criterion.eval()
        vision, text = inputs.normal(3, 5, name="vision"), inputs.normal(3, 5, name="text")
        yield criterion(vision, text)["loss"]


def table_filled_by_hand(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False, input_dim=6, sampling_strategy="global", dataset_size=8)
    criterion.eval()
    criterion.update_global_embeddings(
        inputs.features(8, 6, name="stored", grad=False), inputs.features(8, 6, grad=False), inputs.indices(8, size=8)
    )
    for ids in (None, inputs.ids(4, groups=2)):
        vision, text = inputs.paired(batch=4, dim=6)
        yield criterion(vision, text, match_ids=ids, indices=inputs.indices(4, size=8))


def table_behind_heads(inputs: Inputs):
    criterion = ContrastiveLoss(
        temperature=0.2, add_projection=True, input_dim=6, projection_dim=4, sampling_strategy="global", dataset_size=4
    )
    criterion.eval()
    criterion.update_global_embeddings(
        inputs.features(4, 4, grad=False), inputs.features(4, 4, grad=False), inputs.indices(4, size=4)
    )
    vision, text = inputs.paired(batch=4, dim=6)
    yield criterion(vision, text, indices=inputs.indices(4, size=4))


def table_before_it_is_filled(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False, input_dim=6, sampling_strategy="global", dataset_size=8)
    criterion.eval()
    vision, text = inputs.normal(4, 6, name="vision"), inputs.normal(4, 6, name="text")
    yield criterion(vision, text, match_ids=["a", "b", "b", "a"], indices=torch.tensor([5, 0, 3, 6]))


def table_before_it_is_filled_under_anomaly_detection(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False, input_dim=6, sampling_strategy="global", dataset_size=8)
    criterion.eval()
    vision, text = inputs.normal(3, 6, name="vision"), inputs.normal(3, 6, name="text")
    with torch.autograd.detect_anomaly():
        loss = criterion(vision, text, indices=torch.arange(3))["loss"]
        found = torch.autograd.grad(loss, (vision, text))
    yield found


def table_filled_from_its_start_and_sums(inputs: Inputs):
    """Rows that are written alone are candidates; positions are numbers of 32 bits."""
    criterion = ContrastiveLoss(
        temperature=0.2, reduction="sum", add_projection=False, input_dim=6, sampling_strategy="global", dataset_size=8
    )
    criterion.eval()
    stored = inputs.normal(3, 6, name="stored", grad=False), inputs.normal(3, 6, grad=False)
    criterion.update_global_embeddings(*stored, torch.arange(3, dtype=torch.int32))
    vision, text = inputs.normal(3, 6, name="vision"), inputs.normal(3, 6, name="text")
    yield criterion(vision, text, indices=torch.tensor([2, 0, 1], dtype=torch.int32))


def table_that_holds_a_pair_under_another_position(inputs: Inputs):
    """In a validation: within the batch, or over a table of the same rows, the pair finds the same candidates."""
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False, input_dim=6, sampling_strategy="global", dataset_size=8)
    criterion.eval()
    vision, text = inputs.normal(3, 6, name="vision"), inputs.normal(3, 6, name="text")
    criterion.update_global_embeddings(*criterion.project(vision, text), torch.arange(3))
    with torch.no_grad():
        out = criterion(vision, text, indices=torch.tensor([0, 1, 7]))
    yield out


def table_and_positions_in_floats(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False, input_dim=6, sampling_strategy="global", dataset_size=8)
    criterion.eval()
    criterion.update_global_embeddings(inputs.normal(3, 6, grad=False), inputs.normal(3, 6, grad=False), torch.arange(3))
    vision, text = inputs.normal(3, 6, name="vision"), inputs.normal(3, 6, name="text")
    yield criterion(vision, text, indices=torch.tensor([2.0, 0.0, 1.0]))


def table_filled_by_hand_then_trained(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False, input_dim=6, sampling_strategy="global", dataset_size=4)
    criterion.update_global_embeddings(
        inputs.features(4, 6, grad=False), inputs.features(4, 6, grad=False), inputs.indices(4, size=4)
    )
    vision, text = inputs.paired(batch=4, dim=6)
    yield criterion(vision, text, indices=inputs.indices(4, size=4))


def table_with_samples_that_have_no_row(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False, input_dim=6, sampling_strategy="global", dataset_size=9)
    criterion.eval()
    stored = inputs.features(3, 6, grad=False), inputs.features(3, 6, grad=False)
    criterion.update_global_embeddings(*stored, torch.tensor([1, 2, 5]))
    vision, text = inputs.paired(batch=4, dim=6)
    yield criterion(vision, text, indices=torch.tensor([5, 8, 1, 7]))
    vision, text = inputs.paired(batch=3, dim=6)
    yield criterion(vision, text, match_ids=["a", "b", "a"], indices=torch.tensor([2, 4, 8]))


def table_and_an_index_outside(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False, input_dim=6, sampling_strategy="global", dataset_size=4)
    criterion.update_global_embeddings(
        inputs.features(3, 6, grad=False), inputs.features(3, 6, grad=False), torch.tensor([0, 2, 7])
    )
    vision, text = inputs.paired(batch=3, dim=6)
    yield criterion(vision, text)["loss"]


def many_calls(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False)
    for _ in range(21):
        vision, text = inputs.paired(batch=2, dim=3)
        loss = criterion(vision, text)["loss"]
    yield loss


def with_debug_logging(inputs: Inputs):
    criterion = ContrastiveLoss(temperature=0.2, add_projection=False)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        vision, text = inputs.paired(batch=4, dim=3)
        loss = criterion(vision, text)["loss"]
    finally:
        logging.getLogger().setLevel(level)
    yield loss


def nt_xent_function(inputs: Inputs):
    for batch in (1, 5):
        vision, text = inputs.paired(batch=batch, dim=6)
        yield nt_xent_loss(vision, text)
        yield nt_xent_loss(vision_features=vision, text_features=text, temperature=0.5, reduction="sum")
        yield nt_xent_loss(vision, text, 0.5, "none")


def nt_xent_function_without_rows(inputs: Inputs):
    yield nt_xent_loss(inputs.normal(0, 6, name="vision"), inputs.normal(0, 6, name="text"))


def nt_xent_function_of_two_widths(inputs: Inputs):
    yield nt_xent_loss(inputs.normal(3, 6, name="vision"), inputs.normal(3, 4, name="text"))


def supervised_function(inputs: Inputs):
    vision, text = inputs.paired(batch=5, dim=6)
    unit_vision, unit_text = nn.functional.normalize(vision, dim=1), nn.functional.normalize(text, dim=1)
    labels = inputs.labels(5, classes=2)
    yield supervised_contrastive_loss(unit_vision, unit_text, labels)
    yield supervised_contrastive_loss(unit_vision, unit_text, labels.view(-1, 1), temperature=0.5, reduction="sum")
    yield supervised_contrastive_loss(unit_vision, unit_text, labels=labels, reduction="none")


def supervised_function_of_two_widths(inputs: Inputs):
    yield supervised_contrastive_loss(
        inputs.normal(3, 6, name="vision"), inputs.normal(3, 4, name="text"), inputs.integers(0, 2, 3)
    )


def supervised_function_without_a_reduction(inputs: Inputs):
    yield supervised_contrastive_loss(
        inputs.normal(3, 6, name="vision"), inputs.normal(3, 6, name="text"), inputs.integers(0, 2, 3), reduction=None
    )


def recall_function(inputs: Inputs):
    similarity = inputs.similarity(12, grad=False)
    yield compute_recall_at_k(similarity)
    yield compute_recall_at_k(similarity, K=[1, 3, 20])
    targets = inputs.labels(12, classes=12)
    yield compute_recall_at_k(similarity, [2], v2t_targets=targets, t2i_targets=targets.flip(0))
    recalls = compute_recall_at_k(similarity=similarity, K=[5])
    yield recalls["v2t_recall@5"], recalls["t2i_recall@5"]

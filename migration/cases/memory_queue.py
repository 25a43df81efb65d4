"""Call sites of the loss with a memory of features, one a behaviour."""

import torch

from legacy.memory_queue_contrastive_loss import MemoryQueueContrastiveLoss
from lossport.inputs import Inputs


def filling_and_wrapping(inputs: Inputs):
    """Four batches of four into ten slots: the temperature falls, the queue counts for more, the pointer wraps."""
    criterion = MemoryQueueContrastiveLoss(dim=8, queue_size=10)
    for _ in range(4):
        vision, text = inputs.paired(batch=4, dim=8)
        yield criterion(vision, text, inputs.ids(4))


def first_call(inputs: Inputs):
    """Two queues are drawn, and each slot adds one to every denominator."""
    criterion = MemoryQueueContrastiveLoss(queue_size=64)
    vision, text = inputs.paired(batch=8, dim=8)
    yield criterion(vision_features=vision, text_features=text, match_ids=inputs.ids(8))


def ids_in_groups(inputs: Inputs):
    """Several positives a row; those of the same id in the queue are negatives."""
    criterion = MemoryQueueContrastiveLoss(queue_size=24, temperature=0.2)
    for _ in range(4):
        vision, text = inputs.paired(batch=8, dim=8)
        yield criterion(vision, text, inputs.ids(8, groups=3))


def sparse_queue(inputs: Inputs):
    """An eighth and a quarter filled: the queue counts by half the share, then by one and a half times the share."""
    criterion = MemoryQueueContrastiveLoss(8, 32, 0.2)
    for _ in range(3):
        vision, text = inputs.paired(batch=4, dim=8)
        yield criterion(vision, text, inputs.ids(4))


def nearly_full_queue(inputs: Inputs):
    """From 95 per cent on the temperature is the final one."""
    criterion = MemoryQueueContrastiveLoss(queue_size=20)
    for batch in (18, 1, 2):
        vision, text = inputs.paired(batch=batch, dim=8)
        yield criterion(vision, text, inputs.ids(batch))


def ids_all_equal(inputs: Inputs):
    """The queue alone has negatives."""
    criterion = MemoryQueueContrastiveLoss(queue_size=12)
    for _ in range(2):
        vision, text = inputs.paired(batch=5, dim=8)
        yield criterion(vision, text, inputs.ids(5, groups=1))


def ids_of_other_kinds(inputs: Inputs):
    """Numbers, tuples and tensors are compared by value."""
    criterion = MemoryQueueContrastiveLoss(queue_size=12, temperature=0.2)
    for kind in ("int", "float", "tuple", "tensor"):
        vision, text = inputs.paired(batch=4, dim=4)
        yield criterion(vision, text, inputs.ids(4, groups=2, kind=kind))


def ids_unequal_to_themselves(inputs: Inputs):
    """A NaN matches nothing: no anchor, but a negative of all, and stored."""
    criterion = MemoryQueueContrastiveLoss(queue_size=8)
    for _ in range(2):
        vision, text = inputs.paired(batch=6, dim=4)
        nan = float("nan")
        yield criterion(vision, text, inputs.keep("ids", ([1.0, nan, 1.0, 2.0, nan, 2.0] * len(vision))[: len(vision)]))


def one_row(inputs: Inputs):
    """A single pair against the queue."""
    criterion = MemoryQueueContrastiveLoss(queue_size=8)
    for _ in range(3):
        vision, text = inputs.features(1, 8, name="vision"), inputs.features(1, 8, name="text")
        yield criterion(vision, text, inputs.ids(1))


def prefilled(inputs: Inputs):
    """Two batches stored without a loss, then a call that finds six of eight slots filled."""
    criterion = MemoryQueueContrastiveLoss(queue_size=8, temperature=0.1)
    for _ in range(2):
        vision, text = inputs.paired(batch=3, dim=4)
        criterion.initialize_queue(vision, text)
    vision, text = inputs.paired(batch=4, dim=4)
    yield criterion(vision, text, inputs.ids(4))
    criterion.initialize_queue(vision_features=text, text_features=vision)
    vision, text = inputs.paired(batch=4, dim=4)
    yield criterion(vision, text, inputs.ids(4))


def batch_longer_than_the_queue(inputs: Inputs):
    """The last rows overwrite the first ones."""
    criterion = MemoryQueueContrastiveLoss(queue_size=5)
    for _ in range(2):
        vision, text = inputs.paired(batch=6, dim=8)
        yield criterion(vision, text, inputs.ids(6))


def backward_after_the_call(inputs: Inputs):
    """A training loop: the queues change before the gradient is taken."""
    criterion = MemoryQueueContrastiveLoss(queue_size=6)
    for _ in range(3):
        vision, text = inputs.paired(batch=4, dim=8)
        out = criterion(vision, text, inputs.ids(4))
        out["loss"].backward()
        yield out["loss"].detach(), out["temperature"], out["queue_fill"]


def reads_numbers(inputs: Inputs):
    """A training loop that logs what it reads."""
    criterion = MemoryQueueContrastiveLoss(queue_size=16, temperature=0.1)
    for _ in range(2):
        vision, text = inputs.paired(batch=12, dim=8)
        out = criterion(vision, text, match_ids=inputs.ids(12, groups=4))
        yield out["loss"], out["loss_v2t"] + out["loss_t2v"], out["queue_fill"]


def a_line_printed_now_and_then(inputs: Inputs):
    """One call in a hundred prints; this one does."""
    criterion = MemoryQueueContrastiveLoss(queue_size=16)
    criterion.initialize_queue(inputs.features(2, 4, name="vision", grad=False), inputs.features(2, 4, name="text", grad=False))
    vision, text = inputs.paired(batch=3, dim=4)
    torch.manual_seed(3)
    yield criterion(vision, text, inputs.ids(3))


def another_width(inputs: Inputs):
    """New queues for features of another width."""
    criterion = MemoryQueueContrastiveLoss(queue_size=8)
    for width in (8, 8, 5, 5):
        yield criterion(inputs.normal(3, width, name="vision"), inputs.normal(3, width, name="text"), inputs.ids(3))


def evaluation(inputs: Inputs):
    """Batches of evaluation between those of training."""
    criterion = MemoryQueueContrastiveLoss(queue_size=8)
    for training in (False, True, False, True):
        criterion.train(training)
        vision, text = inputs.paired(batch=3, dim=8)
        yield criterion(vision, text, inputs.ids(3))


def restored_from_a_checkpoint(inputs: Inputs):
    """Saved in the middle of a run, loaded into a fresh loss."""
    before = MemoryQueueContrastiveLoss(queue_size=6)
    vision, text = inputs.paired(batch=4, dim=8)
    yield before(vision, text, inputs.ids(4))
    after = MemoryQueueContrastiveLoss(queue_size=6)
    after.load_state_dict(before.state_dict(), strict=False)
    vision, text = inputs.paired(batch=4, dim=8)
    yield after(vision, text, inputs.ids(4))


def float64_features(inputs: Inputs):
    """Double precision."""
    criterion = MemoryQueueContrastiveLoss(queue_size=6)
    vision, text = inputs.paired(batch=4, dim=8)
    yield criterion(vision.double(), text.double(), inputs.ids(4))


def size_by_default(inputs: Inputs):
    """What a training loop reads to know how many batches fill the queue."""
    criterion = MemoryQueueContrastiveLoss()
    yield criterion.queue_size


def low_temperature(inputs: Inputs):
    """Exponentials beyond float32."""
    criterion = MemoryQueueContrastiveLoss(queue_size=6, temperature=0.005)
    vision, text = inputs.paired(batch=4, dim=8, shared=0.95)
    yield criterion(vision, text, inputs.ids(4))


def batch_far_longer_than_the_queue(inputs: Inputs):
    """More than twice round the queue."""
    criterion = MemoryQueueContrastiveLoss(queue_size=3)
    yield criterion(inputs.normal(8, 4, name="vision"), inputs.normal(8, 4, name="text"), inputs.ids(8))


def no_pairs(inputs: Inputs):
    """No id matches any, itself included; the batch is stored."""
    criterion = MemoryQueueContrastiveLoss(queue_size=6)
    vision, text = inputs.paired(batch=4, dim=8)
    yield criterion(vision, text, [float("nan") for _ in range(len(vision))])


def empty_batch(inputs: Inputs):
    """No rows: the queues are drawn."""
    criterion = MemoryQueueContrastiveLoss(queue_size=4)
    for _ in range(2):
        yield criterion(inputs.normal(0, 8, name="vision"), inputs.normal(0, 8, name="text"), [])


def prefilled_with_lists(inputs: Inputs):
    """Not tensors."""
    criterion = MemoryQueueContrastiveLoss(queue_size=4)
    criterion.initialize_queue([[1.0, 0.0]], [[0.0, 1.0]])
    vision, text = inputs.paired(batch=2, dim=2)
    yield criterion(vision, text, inputs.ids(2))


def wrong_number_of_ids(inputs: Inputs):
    """Too few ids, found after the queues were drawn."""
    criterion = MemoryQueueContrastiveLoss(queue_size=4)
    yield criterion(inputs.normal(4, 8), inputs.normal(4, 8), ["a", "b"])


def wrong_surplus_of_ids(inputs: Inputs):
    """More ids than rows."""
    criterion = MemoryQueueContrastiveLoss(queue_size=4)
    yield criterion(inputs.normal(4, 8), inputs.normal(4, 8), ["a", "b", "c", "d", "e"])


def wrong_widths(inputs: Inputs):
    """Features of different widths."""
    criterion = MemoryQueueContrastiveLoss(queue_size=4)
    yield criterion(inputs.normal(4, 8), inputs.normal(4, 6), inputs.ids(4))


def wrong_rows(inputs: Inputs):
    """More texts than images."""
    criterion = MemoryQueueContrastiveLoss(queue_size=4)
    yield criterion(inputs.normal(3, 8), inputs.normal(4, 8), inputs.ids(3))


def wrong_queue_size(inputs: Inputs):
    """A queue without slots."""
    criterion = MemoryQueueContrastiveLoss(queue_size=0)
    yield criterion(inputs.normal(3, 8), inputs.normal(3, 8), inputs.ids(3))

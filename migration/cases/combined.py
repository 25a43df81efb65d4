"""Call sites of the sum of losses. The parts are trainings' own, so that nothing else is compared."""

import contextlib

import torch
from torch import nn

from legacy.combined_loss import CombinedLoss
from lossport.inputs import Inputs


class Distance(nn.Module):
    """How far apart the two modalities are; with two entries besides the loss."""

    def __init__(self, power=2, detached=True):
        super().__init__()
        self.power, self.detached = power, detached

    def forward(self, vision_features, text_features, match_ids=None):
        loss = (vision_features - text_features).abs().pow(self.power).mean()
        distance = loss.detach() if self.detached else loss
        return {"loss": loss, "accuracy": 0.25, "distance": distance}


class Turn(nn.Module):
    """How far the second modality is turned against the first; a loss and nothing else."""

    def __init__(self, scale=1.0):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, vision_features, text_features, match_ids=None):
        return self.scale * (1 - nn.functional.cosine_similarity(vision_features, text_features)).sum()


class Scheduled(nn.Module):
    """Counts epochs."""

    def __init__(self):
        super().__init__()
        self.epoch = 0

    def update_epoch(self, epoch):
        self.epoch = epoch

    def update_step(self, step, total_steps):
        self.epoch = step / total_steps

    def forward(self, vision_features, text_features):
        return {"loss": (vision_features * text_features).mean() * (1 + self.epoch)}


def primary_alone(inputs: Inputs):
    criterion = CombinedLoss(Distance())
    vision, text = inputs.paired(batch=6, dim=4)
    yield criterion(vision, text)


def two_parts(inputs: Inputs):
    criterion = CombinedLoss(primary_loss=Distance(), secondary_loss=Turn(), secondary_loss_weight=0.25)
    for _ in range(2):
        vision, text = inputs.paired(batch=6, dim=4)
        yield criterion(vision_features=vision, text_features=text, match_ids=inputs.ids(6, groups=2))


def three_parts(inputs: Inputs):
    criterion = CombinedLoss(Turn(), Distance(), tertiary_loss=Distance(power=4), tertiary_loss_weight=2.0)
    vision, text = inputs.paired(batch=6, dim=4)
    yield criterion(vision, text)


def one_part_twice(inputs: Inputs):
    """Its state stands under both names."""
    part = Turn(scale=0.5)
    criterion = CombinedLoss(part, None, 0.5, part)
    vision, text = inputs.paired(batch=6, dim=4)
    yield criterion(vision, text)


def parts_that_count(inputs: Inputs):
    """Whole numbers stay whole."""
    criterion = CombinedLoss(lambda a, b: {"loss": (a * b).mean(), "accuracy": 1})
    vision, text = inputs.paired(batch=6, dim=4)
    yield criterion(vision, text)


def weight_of_zero(inputs: Inputs):
    """The part is called all the same."""
    criterion = CombinedLoss(Distance(), Turn(), 0, Distance(), 0.0)
    vision, text = inputs.paired(batch=6, dim=4)
    yield criterion(vision, text)


def plain_functions(inputs: Inputs):
    criterion = CombinedLoss(lambda a, b: (a * b).mean(), lambda a, b: {"loss": (a + b).mean()}, 0.1, lambda a, b: a.mean(), 0.2)
    criterion.eval()
    vision, text = inputs.paired(batch=6, dim=4)
    yield criterion(vision, text)


def modes(inputs: Inputs):
    criterion = CombinedLoss(Distance(), Turn(), 0.5, Turn(2.0))
    vision, text = inputs.paired(batch=6, dim=4)
    criterion.eval()
    yield criterion(vision, text)
    criterion.train()
    yield criterion(vision, text)


def reads_keys(inputs: Inputs):
    criterion = CombinedLoss(primary_loss=Distance(), secondary_loss=Distance(power=1), secondary_loss_weight=0.25)
    vision, text = inputs.paired(batch=6, dim=4)
    out = criterion(vision, text)
    yield out["loss"]
    yield out["primary_loss"] + out["secondary_weight"] * out["secondary_loss"], out["accuracy"]


def arguments_that_a_part_does_not_know(inputs: Inputs):
    criterion = CombinedLoss(Distance(), Scheduled())
    vision, text = inputs.paired(batch=6, dim=4)
    yield criterion(vision, text, match_ids=inputs.ids(6))


def a_dictionary_without_a_loss(inputs: Inputs):
    criterion = CombinedLoss(lambda a, b: {"cost": a.mean()})
    vision, text = inputs.paired(batch=6, dim=4)
    yield criterion(vision, text)


def a_part_that_counts_epochs(inputs: Inputs):
    criterion = CombinedLoss(Scheduled(), Turn())
    vision, text = inputs.paired(batch=6, dim=4)
    with contextlib.suppress(AttributeError):
        criterion.update_epoch(3)
        criterion.update_step(step=1, total_steps=4)
    yield criterion(vision, text)


def a_tuple_alone(inputs: Inputs):
    criterion = CombinedLoss(lambda a, b: ((a * b).mean(), {"terms": 2}))
    vision, text = inputs.paired(batch=6, dim=4)
    yield criterion(vision, text)


def a_tuple_second(inputs: Inputs):
    criterion = CombinedLoss(Distance(), lambda a, b: ((a * b).mean(), {"terms": 2}))
    vision, text = inputs.paired(batch=6, dim=4)
    yield criterion(vision, text)


def losses_of_rows(inputs: Inputs):
    criterion = CombinedLoss(lambda a, b: (a * b).mean(dim=1), lambda a, b: a.square().sum(dim=1))
    vision, text = inputs.normal(6, 4, name="vision"), inputs.normal(6, 4, name="text")
    yield criterion(vision, text)


def a_callable_that_has_a_mode(inputs: Inputs):
    """Nothing but modules has one now."""

    class Part:
        training = True

        def train(self, mode):
            self.training = mode

        def __call__(self, a, b):
            return (a * b).mean() * (2.0 if self.training else 1.0)

    criterion = CombinedLoss(Part(), Part(), 0.5, Part())
    criterion.eval()
    vision, text = inputs.paired(batch=6, dim=4)
    yield criterion(vision, text)


def entries_with_a_graph(inputs: Inputs):
    criterion = CombinedLoss(Distance(detached=False), Distance(power=4, detached=False))
    vision, text = inputs.paired(batch=6, dim=4)
    yield criterion(vision, text)


def numbers_alone(inputs: Inputs):
    criterion = CombinedLoss(lambda a, b: 2.0, lambda a, b: {"loss": 3.0}, 0.5)
    vision, text = inputs.paired(batch=6, dim=4)
    yield criterion(vision, text)


def parts_of_all_kinds(inputs: Inputs):
    """As legacy losses return them: numbers, inner dictionaries, texts."""

    def part(a, b):
        return {"loss": (a * b).mean(), "recalls": {"v2t_recall@1": 0.5}, "phase": "warmup", "queue_size": 64}

    criterion = CombinedLoss(part, part)
    vision, text = inputs.paired(batch=6, dim=4)
    yield criterion(vision, text)

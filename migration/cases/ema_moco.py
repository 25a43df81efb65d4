"""Call sites of momentum contrast, one a behaviour. The encoders are attached from outside where the legacy loss is to run."""

import torch
from torch import nn

from legacy.ema_moco_loss import EMAMoCoLoss
from lossport.inputs import Inputs


def attached_encoders(inputs: Inputs):
    """Three calls: keys move, the pointer wraps."""
    vision_encoder, text_encoder = inputs.linear(6, 8, name="vision_encoder"), inputs.linear(5, 8, name="text_encoder")
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=8, K=12, m=0.9)
    criterion.vision_encoder = vision_encoder
    criterion.text_encoder = text_encoder
    for _ in range(3):
        images, words = inputs.normal(5, 6, name="images"), inputs.normal(5, 5, name="words")
        yield criterion(images, words)


def options_by_position(inputs: Inputs):
    """Everything in its place, one direction only."""
    vision_encoder, text_encoder = inputs.linear(6, 4, name="vision_encoder"), inputs.linear(6, 4, name="text_encoder")
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, 4, 12, 0.5, 0.2, False, True)
    criterion.vision_encoder = vision_encoder
    criterion.text_encoder = text_encoder
    for _ in range(2):
        yield criterion(inputs.normal(4, 6, name="images"), inputs.normal(4, 6, name="words"))


def given_features(inputs: Inputs):
    """Features replace the query encoders; keys still come from the raw inputs."""
    vision_encoder, text_encoder = inputs.linear(6, 8, name="vision_encoder"), inputs.linear(6, 8, name="text_encoder")
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=8, K=32, T=0.1)
    criterion.vision_encoder = vision_encoder
    criterion.text_encoder = text_encoder
    images, words = inputs.normal(6, 6, name="images"), inputs.normal(6, 6, name="words")
    vision, text = inputs.normal(6, 8, name="vision"), inputs.normal(6, 8, name="text")
    yield criterion(images, words, vision_features=vision, text_features=text)
    yield criterion(vision_queries=images, text_queries=words, text_features=text, match_ids=["a"] * 6)


def inputs_that_are_no_tensors(inputs: Inputs):
    """Token lists cannot be encoded as keys: the features are their own."""
    vision_encoder, text_encoder = inputs.linear(6, 8, name="vision_encoder"), inputs.linear(6, 8, name="text_encoder")
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=8, K=16, T=0.2)
    criterion.vision_encoder = vision_encoder
    criterion.text_encoder = text_encoder
    for _ in range(2):
        vision, text = inputs.normal(5, 8, name="vision"), inputs.normal(5, 8, name="text")
        yield criterion(inputs.normal(5, 6, name="images"), ["one", "two"], vision, text)
        yield criterion({"pixels": 1}, {"tokens": 2}, vision_features=vision, text_features=text)


def key_encoders_that_work_in_place(inputs: Inputs):
    """What goes into them is a copy."""
    vision_encoder = nn.Sequential(nn.ReLU(inplace=True), inputs.linear(6, 8, name="vision_encoder"))
    text_encoder = nn.Sequential(nn.ReLU(inplace=True), inputs.linear(6, 8, name="text_encoder"))
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=8, K=16)
    criterion.vision_encoder = vision_encoder
    criterion.text_encoder = text_encoder
    images, words = inputs.normal(5, 6, name="images"), inputs.normal(5, 6, name="words")
    yield criterion(images, words, inputs.normal(5, 8, name="vision"), inputs.normal(5, 8, name="text"))


def accuracy_of_exact_ties(inputs: Inputs):
    """Products with a single term have one rounding: a positive and its copy in the queue tie in every bit."""
    vision_encoder, text_encoder = inputs.linear(6, 8, name="vision_encoder"), inputs.linear(6, 8, name="text_encoder")
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=8, K=16, T=0.2)
    criterion.vision_encoder = vision_encoder
    criterion.text_encoder = text_encoder
    for _ in range(2):
        text = inputs.normal(6, 8, name="text")
        vision = torch.eye(6, 8, dtype=text.dtype, device=text.device)
        yield criterion(["raw"], ["raw"], vision, text + vision)


def accuracy_of_near_ties(inputs: Inputs):
    """A positive that another key beats by a little more than rounding is wrong. The batch fills the queue."""
    vision_encoder, text_encoder = inputs.linear(6, 2, name="vision_encoder"), inputs.linear(6, 2, name="text_encoder")
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=2, K=2)
    criterion.vision_encoder = vision_encoder
    criterion.text_encoder = text_encoder
    angles = torch.tensor([0.05, 0.0499]).to(vision_encoder.weight)
    text = inputs.keep("text", torch.stack((angles.cos(), angles.sin()), dim=1))
    yield criterion(["raw"], ["raw"], torch.eye(2, dtype=text.dtype, device=text.device), text)


def width_by_default(inputs: Inputs):
    """Encoders have to give 768 columns."""
    criterion = EMAMoCoLoss(inputs.linear(3, 768, name="vision_encoder"), inputs.linear(3, 768, name="text_encoder"), K=4)
    yield criterion.dim


def queue_size_by_default(inputs: Inputs):
    """What a training loop reads to know how many batches fill the queue."""
    criterion = EMAMoCoLoss(inputs.linear(3, 1, name="vision_encoder"), inputs.linear(3, 1, name="text_encoder"), dim=1)
    yield criterion.K


def keys_stand_still(inputs: Inputs):
    """The key encoders do not follow."""
    vision_encoder, text_encoder = inputs.linear(6, 8, name="vision_encoder"), inputs.linear(6, 8, name="text_encoder")
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=8, K=16, update_key_encoder=False)
    criterion.vision_encoder = vision_encoder
    criterion.text_encoder = text_encoder
    for _ in range(2):
        yield criterion(inputs.normal(5, 6, name="images"), inputs.normal(5, 6, name="words"))


def momentum_of_zero(inputs: Inputs):
    """The keys become other query encoders at once."""
    vision_encoder, text_encoder = inputs.linear(6, 8, name="vision_encoder"), inputs.linear(6, 8, name="text_encoder")
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=8, K=16, m=0.0)
    criterion.vision_encoder = inputs.linear(6, 8, name="other_vision_encoder")
    criterion.text_encoder = inputs.linear(6, 8, name="other_text_encoder")
    for _ in range(2):
        yield criterion(inputs.normal(5, 6, name="images"), inputs.normal(5, 6, name="words"))


def batch_norm_and_dropout_in_the_encoders(inputs: Inputs):
    """Key encoders have the mode of the loss, statistics of their own, and draw after the query encoders."""
    vision_encoder = nn.Sequential(inputs.linear(6, 8, name="vision_encoder"), nn.BatchNorm1d(8), nn.Dropout(0.25))
    text_encoder = nn.Sequential(inputs.linear(6, 8, name="text_encoder"), nn.Dropout(0.25))
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=8, K=16, m=0.5, T=0.2)
    criterion.vision_encoder = nn.Sequential(inputs.linear(6, 8, name="other_encoder"), nn.BatchNorm1d(8), nn.Dropout(0.25))
    criterion.text_encoder = text_encoder
    apart = torch.arange(5.0).unsqueeze(1)  # rows that are all the same leave nothing but noise to a batch norm
    for training in (True, True, False):
        criterion.train(training)
        images = inputs.normal(5, 6, name="images")
        yield criterion(images + apart.to(images), inputs.normal(5, 6, name="words"))


def one_row(inputs: Inputs):
    """A single pair against the queue."""
    vision_encoder, text_encoder = inputs.linear(6, 8, name="vision_encoder"), inputs.linear(6, 8, name="text_encoder")
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=8, K=4)
    criterion.vision_encoder = vision_encoder
    criterion.text_encoder = text_encoder
    for _ in range(2):
        yield criterion(inputs.normal(1, 6, name="images"), inputs.normal(1, 6, name="words"))


def backward_after_the_call(inputs: Inputs):
    """A training loop: the keys have moved before the gradient is taken."""
    vision_encoder, text_encoder = inputs.linear(6, 8, name="vision_encoder"), inputs.linear(6, 8, name="text_encoder")
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=8, K=8, m=0.9, T=0.1)
    criterion.vision_encoder = vision_encoder
    criterion.text_encoder = text_encoder
    for _ in range(3):
        out = criterion(inputs.normal(4, 6, name="images"), inputs.normal(4, 6, name="words"))
        out["loss"].backward()
        yield out["loss"].detach(), out["v2t_loss"] + out["t2v_loss"]


def reads_numbers(inputs: Inputs):
    """A training loop that logs what it reads; each batch fills the queue to its end."""
    vision_encoder, text_encoder = inputs.linear(6, 8, name="vision_encoder"), inputs.linear(6, 8, name="text_encoder")
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=8, K=6, m=0.99)
    criterion.vision_encoder = vision_encoder
    criterion.text_encoder = text_encoder
    for _ in range(2):
        out = criterion(inputs.normal(6, 6, name="images"), inputs.normal(6, 6, name="words"))
        yield out["loss"]
        yield out["v2t_loss"], out["t2v_loss"], out["queue_size"], out["momentum"]


def encoders_not_attached(inputs: Inputs):
    """As the signature promises."""
    vision_encoder, text_encoder = inputs.linear(6, 8, name="vision_encoder"), inputs.linear(6, 8, name="text_encoder")
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=8, K=16)
    yield criterion(inputs.normal(5, 6, name="images"), inputs.normal(5, 6, name="words"))


def encoders_not_attached_and_given_features(inputs: Inputs):
    """It fails after the keys have entered."""
    vision_encoder, text_encoder = inputs.linear(6, 8, name="vision_encoder"), inputs.linear(6, 8, name="text_encoder")
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=8, K=16)
    images, words = inputs.normal(5, 6, name="images"), inputs.normal(5, 6, name="words")
    yield criterion(images, words, inputs.normal(5, 8, name="vision"), inputs.normal(5, 8, name="text"))


def still_keys_without_encoders(inputs: Inputs):
    """Nothing to follow, and yet it fails."""
    vision_encoder, text_encoder = inputs.linear(6, 8, name="vision_encoder"), inputs.linear(6, 8, name="text_encoder")
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=8, K=16, update_key_encoder=False)
    images, words = inputs.normal(5, 6, name="images"), inputs.normal(5, 6, name="words")
    yield criterion(images, words, inputs.normal(5, 8, name="vision"), inputs.normal(5, 8, name="text"))


def empty_batch(inputs: Inputs):
    """No rows."""
    vision_encoder, text_encoder = inputs.linear(6, 8, name="vision_encoder"), inputs.linear(6, 8, name="text_encoder")
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=8, K=4)
    criterion.vision_encoder = vision_encoder
    criterion.text_encoder = text_encoder
    yield criterion(inputs.normal(0, 6, name="images"), inputs.normal(0, 6, name="words"))


def batch_longer_than_the_queue(inputs: Inputs):
    """It overwrites its own first keys."""
    vision_encoder, text_encoder = inputs.linear(6, 8, name="vision_encoder"), inputs.linear(6, 8, name="text_encoder")
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=8, K=4)
    criterion.vision_encoder = vision_encoder
    criterion.text_encoder = text_encoder
    yield criterion(inputs.normal(6, 6, name="images"), inputs.normal(6, 6, name="words"))


def batch_far_longer_than_the_queue(inputs: Inputs):
    """More than twice round."""
    vision_encoder, text_encoder = inputs.linear(6, 8, name="vision_encoder"), inputs.linear(6, 8, name="text_encoder")
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=8, K=4)
    criterion.vision_encoder = vision_encoder
    criterion.text_encoder = text_encoder
    yield criterion(inputs.normal(9, 6, name="images"), inputs.normal(9, 6, name="words"))


def encoders_of_another_make(inputs: Inputs):
    """Attached encoders of fewer layers than those that were copied."""
    vision_encoder, text_encoder = inputs.linear(6, 8, name="vision_encoder"), inputs.linear(6, 8, name="text_encoder")
    criterion = EMAMoCoLoss(nn.Sequential(vision_encoder, nn.LayerNorm(8)), text_encoder, dim=8, K=16)
    criterion.vision_encoder = vision_encoder
    criterion.text_encoder = text_encoder
    yield criterion(inputs.normal(4, 6, name="images"), inputs.normal(4, 6, name="words"))


def wrong_width_of_keys(inputs: Inputs):
    """Encoders that do not give what the queue holds."""
    vision_encoder, text_encoder = inputs.linear(6, 5, name="vision_encoder"), inputs.linear(6, 5, name="text_encoder")
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=8, K=16)
    criterion.vision_encoder = vision_encoder
    criterion.text_encoder = text_encoder
    yield criterion(inputs.normal(4, 6, name="images"), inputs.normal(4, 6, name="words"))


def wrong_rows(inputs: Inputs):
    """More words than images."""
    vision_encoder, text_encoder = inputs.linear(6, 8, name="vision_encoder"), inputs.linear(6, 8, name="text_encoder")
    criterion = EMAMoCoLoss(vision_encoder, text_encoder, dim=8, K=16)
    criterion.vision_encoder = vision_encoder
    criterion.text_encoder = text_encoder
    yield criterion(inputs.normal(4, 6, name="images"), inputs.normal(5, 6, name="words"))

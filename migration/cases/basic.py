"""Call sites of cross entropy with smoothing and of squared error, each with weights for rows."""

import torch

from legacy import losses as basic
from legacy.losses import CrossEntropyLoss, MeanSquaredError
from lossport.inputs import Inputs


def smoothing_by_default(inputs: Inputs):
    criterion = CrossEntropyLoss()
    logits = inputs.logits(8, classes=5)
    yield criterion(logits, inputs.labels(len(logits), classes=5))


def smoothing_and_sample_weights(inputs: Inputs):
    """The mean divides by the number of rows, whatever they weigh."""
    criterion = CrossEntropyLoss(smoothing=0.2, reduction="mean")
    logits = inputs.logits(6, classes=4)
    labels = inputs.labels(len(logits), classes=4)
    yield criterion(logits, labels, sample_weight=inputs.weights(len(logits)))


def reductions(inputs: Inputs):
    logits = inputs.logits(6, classes=4)
    labels = inputs.labels(len(logits), classes=4)
    weights = inputs.weights(len(logits))
    for reduction in ("mean", "sum", "none"):
        yield CrossEntropyLoss(0.3, reduction)(logits, labels)
        yield basic.CrossEntropyLoss(0.0, reduction)(input=logits, target=labels, sample_weight=weights)


def added_to_another_loss(inputs: Inputs):
    """What comes back is used at once, as in any training loop."""
    criterion = CrossEntropyLoss(smoothing=0.1)
    squared_error = MeanSquaredError(reduction="mean")
    logits = inputs.logits(6, classes=4)
    predicted = inputs.logits(len(logits), 1, name="predicted")
    labels = inputs.labels(len(logits), classes=4)
    wanted = inputs.logits(len(logits), 1, name="wanted", grad=False)
    loss = criterion(logits, labels) + 0.5 * squared_error(predicted, wanted)
    loss.backward()
    yield loss.item()


def without_smoothing(inputs: Inputs):
    criterion = CrossEntropyLoss(smoothing=0)
    logits = inputs.logits(6, classes=4)
    yield criterion(logits, inputs.labels(len(logits), classes=4))


def class_weights_without_smoothing(inputs: Inputs):
    """The mean does not divide by them, unlike torch's."""
    logits = inputs.logits(6, classes=4)
    criterion = CrossEntropyLoss(smoothing=0.0, weight=inputs.weights(4).to(logits.dtype))
    yield criterion(logits, inputs.labels(len(logits), classes=4))


def class_weights_and_smoothing(inputs: Inputs):
    logits = inputs.logits(6, classes=4)
    criterion = CrossEntropyLoss(weight=inputs.weights(4).to(logits.dtype))
    yield criterion(logits, inputs.labels(len(logits), classes=4))


def ignored_targets(inputs: Inputs):
    criterion = CrossEntropyLoss(smoothing=0.0)
    logits = inputs.normal(4, 3, name="logits")
    yield criterion(logits, torch.tensor([0, -100, 2, 1], device=logits.device))


def ignored_targets_and_smoothing(inputs: Inputs):
    criterion = CrossEntropyLoss()
    logits = inputs.normal(4, 3, name="logits")
    yield criterion(logits, torch.tensor([0, -100, 2, 1], device=logits.device))


def probabilities(inputs: Inputs):
    """Targets may be probabilities, unless they are smoothed."""
    criterion = CrossEntropyLoss(smoothing=0.0)
    logits = inputs.logits(5, classes=3)
    yield criterion(logits, inputs.logits(len(logits), classes=3, name="wanted", grad=False).softmax(dim=1))


def one_class(inputs: Inputs):
    """There is nothing to tell apart."""
    criterion = CrossEntropyLoss(reduction="sum")
    logits = inputs.logits(4, classes=1)
    yield criterion(logits, inputs.labels(len(logits), classes=1))


def classes_on_the_second_axis(inputs: Inputs):
    criterion = CrossEntropyLoss(smoothing=0.0)
    logits = inputs.normal(3, 4, 5, name="logits")
    yield criterion(logits, inputs.integers(0, 4, 3, 5))


def classes_on_the_last_axis(inputs: Inputs):
    criterion = CrossEntropyLoss()
    logits = inputs.normal(3, 5, 5, name="logits")
    yield criterion(logits, inputs.integers(0, 5, 3, 5))


def a_column_of_sample_weights(inputs: Inputs):
    criterion = CrossEntropyLoss()
    logits = inputs.normal(4, 3, name="logits")
    yield criterion(logits, inputs.integers(0, 3, 4), inputs.normal(4, 1, name="weights"))


def an_impossible_logit(inputs: Inputs):
    """Smoothing spreads mass to it: the loss is infinite."""
    criterion = CrossEntropyLoss(smoothing=0.1, reduction="none")
    logits = inputs.normal(4, 3, name="logits")
    lowest = torch.tensor([0.0, 0.0, float("-inf")], device=logits.device, dtype=logits.dtype)
    yield criterion(logits.detach() + lowest, inputs.integers(0, 2, 4))


def no_rows(inputs: Inputs):
    criterion = CrossEntropyLoss()
    logits = inputs.normal(0, 3, name="logits")
    yield criterion(logits, inputs.integers(0, 3, 0))


def an_unknown_reduction_of_cross_entropy(inputs: Inputs):
    criterion = CrossEntropyLoss(reduction="average")
    logits = inputs.normal(4, 3, name="logits")
    yield criterion(logits, inputs.integers(0, 3, 4))


def wrong_targets(inputs: Inputs):
    """There is no class 3."""
    criterion = CrossEntropyLoss()
    logits = inputs.normal(4, 3, name="logits")
    yield criterion(logits, torch.tensor([0, 1, 2, 3], device=logits.device))


def wrong_number_of_targets(inputs: Inputs):
    criterion = CrossEntropyLoss(smoothing=0.0)
    yield criterion(inputs.normal(4, 3, name="logits"), inputs.integers(0, 3, 5))


def wrong_smoothing(inputs: Inputs):
    criterion = CrossEntropyLoss(smoothing=1.5)
    yield criterion(inputs.normal(4, 3, name="logits"), inputs.integers(0, 3, 4))


def squared_error_by_default(inputs: Inputs):
    criterion = MeanSquaredError()
    predicted = inputs.features(6, 4, name="predicted")
    wanted = inputs.features(len(predicted), 4, name="wanted")
    yield criterion(predicted, wanted)


def squared_error_with_row_weights(inputs: Inputs):
    predicted = inputs.features(6, 4, name="predicted")
    wanted = inputs.features(len(predicted), 4, name="wanted", grad=False)
    weights = inputs.weights(len(predicted))
    for reduction in ("mean", "sum", "none"):
        yield MeanSquaredError(reduction=reduction)(input=predicted, target=wanted, sample_weight=weights)


def squared_error_with_a_cap(inputs: Inputs):
    """Above the cap the gradient is zero; without a reduction each entry has its own."""
    predicted = inputs.features(6, 4, name="predicted")
    wanted = inputs.features(len(predicted), 4, name="wanted", grad=False)
    for cap in (0, 0.5, 100.0):
        yield MeanSquaredError("mean", cap)(predicted, wanted)
        yield MeanSquaredError(reduction="none", clip_grad=cap)(predicted, wanted)


def row_weights_in_other_dimensions(inputs: Inputs):
    criterion = MeanSquaredError()
    predicted, wanted = inputs.normal(4, name="predicted"), inputs.normal(4, name="wanted")
    yield criterion(predicted, wanted, inputs.weights(4))
    predicted, wanted = inputs.normal(4, 3, 2, name="predicted"), inputs.normal(4, 3, 2, name="wanted")
    yield criterion(predicted, wanted, inputs.weights(4))


def targets_of_another_shape(inputs: Inputs):
    criterion = MeanSquaredError()
    yield criterion(inputs.normal(4, 1, name="predicted"), inputs.normal(4, name="wanted"))


def an_unknown_reduction_of_squared_error(inputs: Inputs):
    criterion = MeanSquaredError(reduction="average")
    yield criterion(inputs.normal(4, 1, name="predicted"), inputs.normal(4, 1, name="wanted"))

"""Call sites of the loss of several tasks, with torch's losses for the tasks."""

import torch
from torch import nn

from legacy.multitask_loss import MultitaskLoss
from lossport.inputs import Inputs


def _two_tasks(inputs):
    logits = inputs.logits(6, classes=4, name="digit")
    ink = inputs.logits(len(logits), 1, name="ink")
    wanted = inputs.logits(len(logits), 1, name="wanted", grad=False)
    return {"digit": logits, "ink": ink}, {"digit": inputs.labels(len(logits), classes=4), "ink": wanted}


def equal_weights(inputs: Inputs):
    criterion = MultitaskLoss({"digit": nn.CrossEntropyLoss(), "ink": nn.MSELoss()})
    yield criterion(*_two_tasks(inputs))


def given_weights(inputs: Inputs):
    """They are scaled to sum 1."""
    tasks = {"digit": nn.CrossEntropyLoss(label_smoothing=0.1), "ink": nn.L1Loss()}
    criterion = MultitaskLoss(loss_functions=tasks, loss_weights={"digit": 3.0, "ink": 1}, reduction="sum")
    for _ in range(2):
        given, wanted = _two_tasks(inputs)
        yield criterion(given, wanted)


def weights_that_follow(inputs: Inputs):
    """From the first call on they are not those given."""
    tasks = {"digit": nn.CrossEntropyLoss(), "ink": nn.MSELoss()}
    criterion = MultitaskLoss(loss_functions=tasks, loss_weights={"digit": 2.0, "ink": 1.0}, dynamic_weighting=True)
    for _ in range(4):
        given, wanted = _two_tasks(inputs)
        yield criterion(given, wanted)


def weights_that_follow_one_task(inputs: Inputs):
    """Its weight is 1, whatever its loss."""
    criterion = MultitaskLoss({"ink": nn.MSELoss()}, dynamic_weighting=True)
    for _ in range(2):
        given, wanted = _two_tasks(inputs)
        yield criterion({"ink": given["ink"]}, {"ink": wanted["ink"]})


def weights_that_follow_a_loss_of_nothing(inputs: Inputs):
    """A task without loss takes nearly all the weight, but not infinitely much."""
    criterion = MultitaskLoss({"digit": nn.CrossEntropyLoss(), "ink": nn.MSELoss()}, dynamic_weighting=True)
    criterion.momentum = 0.0
    given, wanted = _two_tasks(inputs)
    yield criterion({"digit": given["digit"], "ink": given["ink"]}, {"digit": wanted["digit"], "ink": given["ink"].detach()})


def weights_that_follow_in_evaluation(inputs: Inputs):
    criterion = MultitaskLoss({"digit": nn.CrossEntropyLoss(), "ink": nn.MSELoss()}, None, True)
    criterion.eval()
    for _ in range(2):
        given, wanted = _two_tasks(inputs)
        yield criterion(given, wanted)


def a_task_that_is_absent(inputs: Inputs):
    """Its share of the weight is lost; entries of unknown tasks are left alone."""
    for dynamic in (False, True):
        criterion = MultitaskLoss({"digit": nn.CrossEntropyLoss(), "ink": nn.MSELoss()}, dynamic_weighting=dynamic)
        given, wanted = _two_tasks(inputs)
        yield criterion({"digit": given["digit"], "depth": given["ink"]}, wanted)


def reads_keys(inputs: Inputs):
    criterion = MultitaskLoss(loss_functions={"digit": nn.CrossEntropyLoss(), "ink": nn.MSELoss()})
    given, wanted = _two_tasks(inputs)
    out = criterion(given, wanted)
    out["loss"].backward()
    yield out["digit_loss"].item(), float(out["digit_weight"]), out["loss"].detach()


def heads_that_learn(inputs: Inputs):
    """The parts have parameters of their own."""

    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(2.0))

        def forward(self, given, wanted):
            return self.scale * (given - wanted).square().mean()

    criterion = MultitaskLoss({"ink": Scaled()})
    given, wanted = _two_tasks(inputs)
    yield criterion(given, wanted)


def a_loss_of_nan(inputs: Inputs):
    criterion = MultitaskLoss({"digit": nn.CrossEntropyLoss(), "ink": nn.MSELoss()}, dynamic_weighting=True)
    given, wanted = _two_tasks(inputs)
    for factor in (float("nan"), 1.0):
        yield criterion({**given, "ink": factor * given["ink"]}, wanted)


class _Shift(nn.Module):
    """May be negative."""

    def forward(self, given, wanted):
        return given.square().mean() - 40.0


def a_negative_loss(inputs: Inputs):
    criterion = MultitaskLoss({"digit": nn.CrossEntropyLoss(), "ink": _Shift()}, dynamic_weighting=True)
    given, wanted = _two_tasks(inputs)
    yield criterion(given, wanted)


def losses_of_several_kinds(inputs: Inputs):
    """A number first, then one a row."""
    criterion = MultitaskLoss({"digit": nn.CrossEntropyLoss(), "ink": nn.MSELoss(reduction="none")})
    logits = inputs.normal(6, 4, name="digit")
    ink, wanted = inputs.normal(6, 1, name="ink"), inputs.normal(6, 1, name="wanted", grad=False)
    yield criterion({"digit": logits, "ink": ink}, {"digit": inputs.integers(0, 4, 6), "ink": wanted})


def losses_of_rows(inputs: Inputs):
    """Both keep their rows, and so does the sum."""
    criterion = MultitaskLoss({"digit": nn.CrossEntropyLoss(reduction="none"), "ink": nn.CrossEntropyLoss(reduction="none")})
    logits, others = inputs.logits(6, classes=4), inputs.logits(6, classes=4)
    labels = inputs.labels(len(logits), classes=4)
    yield criterion({"digit": logits, "ink": others}, {"digit": labels, "ink": labels})


def no_task_at_all(inputs: Inputs):
    criterion = MultitaskLoss({"digit": nn.CrossEntropyLoss()}, dynamic_weighting=True)
    yield criterion({}, {})


def a_task_without_a_weight(inputs: Inputs):
    given, wanted = _two_tasks(inputs)
    criterion = MultitaskLoss({"digit": nn.CrossEntropyLoss(), "ink": nn.MSELoss()}, {"digit": 1.0})
    yield criterion(given, wanted)


def a_weight_without_a_task(inputs: Inputs):
    given, wanted = _two_tasks(inputs)
    criterion = MultitaskLoss({"digit": nn.CrossEntropyLoss()}, {"digit": 1.0, "depth": 1.0})
    yield criterion(given, wanted)


def weights_of_sum_zero(inputs: Inputs):
    MultitaskLoss({"digit": nn.CrossEntropyLoss()}, {"digit": 0.0})
    yield inputs.number()


def no_tasks(inputs: Inputs):
    MultitaskLoss({})
    yield inputs.number()

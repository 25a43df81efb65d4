"""What is special to the sigmoid loss; what holds for every loss is in the battery."""

from __future__ import annotations

import math

import pytest
import torch

from losses import SigLIPLoss


def test_scale_and_bias_begin_where_the_paper_has_them_and_are_learned() -> None:
    criterion = SigLIPLoss()
    assert criterion.logit_scale.item() == pytest.approx(math.log(10))
    assert criterion.logit_bias.item() == -10
    criterion(torch.eye(3), torch.eye(3))["loss"].backward()
    assert criterion.logit_scale.grad is not None
    assert criterion.logit_bias.grad is not None


def test_they_stay_where_they_are_unless_they_are_to_be_learned() -> None:
    assert not any(parameter.requires_grad for parameter in SigLIPLoss(learnable=False).parameters())


def test_another_negative_does_not_change_what_the_others_cost() -> None:
    """There is no softmax: a row's terms do not depend on each other."""
    generator = torch.Generator().manual_seed(0)
    vision, text = torch.randn(2, 6, 4, generator=generator)
    criterion = SigLIPLoss(reduction="none")
    whole, part = criterion(vision, text)["loss"], criterion(vision[:5], text[:5])["loss"]
    column = -torch.nn.functional.logsigmoid(
        -(torch.nn.functional.normalize(vision[:5]) @ torch.nn.functional.normalize(text[5:]).t() * 10 - 10)
    )
    torch.testing.assert_close(whole[:5], part + column.squeeze(1))


def test_rows_with_one_id_are_positives_of_each_other() -> None:
    own = torch.eye(2)[[0, 0, 1]]
    criterion = SigLIPLoss(temperature=0.05, bias=-10.0)
    assert criterion(own, own, ["a", "a", "b"])["loss"] < 1e-3
    assert criterion(own, own)["loss"] > 5


def test_what_is_learned_is_in_the_state() -> None:
    criterion = SigLIPLoss()
    with torch.no_grad():
        criterion.logit_bias.fill_(-3.0)
    restored = SigLIPLoss()
    restored.load_state_dict(criterion.state_dict())
    assert restored(torch.eye(3), torch.eye(3))["bias"] == -3

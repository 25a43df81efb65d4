"""What is special to feature consistency: what references do and do not, and sides that cannot be compared."""

from __future__ import annotations

import copy
import logging
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from losses import FeatureConsistencyLoss

KEYS = [
    "loss",
    "feature_consistency_loss",
    "vision_consistency_loss",
    "text_consistency_loss",
    "vision_weight",
    "text_weight",
]


class Counting(nn.Module):
    """A reference that counts its calls and remembers whether gradients were on."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 4)
        self.calls = 0
        self.graph = False

    def forward(self, inputs: Any) -> Tensor:
        self.calls += 1
        self.graph = torch.is_grad_enabled()
        x = inputs["x"] if isinstance(inputs, dict) else inputs
        found: Tensor = self.linear(x)
        return found


def test_references_stay_asleep_whatever_the_mode_of_the_loss() -> None:
    loss = FeatureConsistencyLoss(nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5)), nn.BatchNorm1d(4))
    for mode in (True, False, True):
        assert loss.train(mode) is loss
        assert loss.training is mode
        assert not any(module.training for module in loss.modules() if module is not loss)


def test_references_are_frozen_in_place_and_saved_with_the_loss() -> None:
    reference = nn.Linear(3, 4)
    loss = FeatureConsistencyLoss(reference)
    assert loss.reference_vision_model is reference
    assert not any(parameter.requires_grad for parameter in reference.parameters())
    assert list(loss.state_dict()) == ["reference_vision_model.weight", "reference_vision_model.bias"]


def test_references_that_are_not_detached_learn_what_they_learned_before() -> None:
    reference = nn.Linear(3, 4)
    reference.bias.requires_grad_(False)
    loss = FeatureConsistencyLoss(reference, detach_reference=False)
    loss(torch.ones(2, 4), vision_inputs=torch.ones(2, 3))["loss"].backward()
    assert reference.weight.grad is not None
    assert reference.bias.grad is None


@pytest.mark.parametrize("detach", [True, False])
def test_no_graph_is_built_for_a_reference_where_there_are_no_gradients(detach: bool) -> None:
    reference = Counting()
    with torch.no_grad():
        FeatureConsistencyLoss(reference, detach_reference=detach)(torch.ones(2, 4), vision_inputs=torch.ones(2, 3))
    assert not reference.graph


def test_a_reference_is_not_run_where_there_is_nothing_to_compare_it_with() -> None:
    reference = Counting()
    FeatureConsistencyLoss(reference)(vision_inputs=torch.ones(2, 3))
    assert reference.calls == 0


@pytest.mark.parametrize(
    ("given", "warned"),
    [
        ({}, False),
        ({"vision_features": torch.ones(2, 4)}, True),
        ({"vision_inputs": torch.ones(2, 3)}, True),
        ({"text_features": torch.ones(2, 4), "text_inputs": torch.ones(2, 4)}, False),
    ],
)
def test_a_side_that_cannot_be_compared_is_zero_and_only_a_reference_that_misses_something_is_told(
    given: dict[str, Tensor], warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="losses"):
        out = FeatureConsistencyLoss(Counting())(**given)
    assert list(out) == KEYS
    assert out["loss"] == out["vision_consistency_loss"] == out["text_consistency_loss"] == 0
    assert ("vision consistency is left out" in caplog.text) is warned


def test_the_other_side_still_counts_where_one_is_left_out() -> None:
    vision, text = Counting(), Counting()
    y = torch.ones(2, 4)
    both = FeatureConsistencyLoss(vision, text, text_weight=0.5)(text_features=y, text_inputs=torch.ones(2, 3))
    alone = FeatureConsistencyLoss(reference_text_model=text)(text_features=y, text_inputs=torch.ones(2, 3))
    assert both["loss"] == 0.5 * alone["loss"]


def test_a_dictionary_goes_to_the_reference_as_its_one_argument() -> None:
    reference, x = Counting(), torch.ones(2, 3)
    loss = FeatureConsistencyLoss(reference_text_model=reference)
    y = torch.randn(2, 4)
    given = {"x": x, "language": "en"}
    assert loss(text_features=y, text_inputs=given)["loss"] == loss(text_features=y, text_inputs=x)["loss"]
    assert given == {"x": x, "language": "en"}


def test_a_reference_without_parameters_takes_its_inputs_where_they_are() -> None:
    x = torch.randn(3, 4)
    assert FeatureConsistencyLoss(nn.Identity(), distance_fn="l2")(x, vision_inputs=x)["loss"] == 0


def test_rows_of_zeros_are_at_cosine_distance_one() -> None:
    assert FeatureConsistencyLoss(nn.Identity())(torch.zeros(3, 4), vision_inputs=torch.zeros(3, 4))["loss"] == 1


def test_the_euclidean_distance_has_no_slope_at_zero() -> None:
    x = torch.randn(3, 4, requires_grad=True)
    FeatureConsistencyLoss(nn.Identity(), distance_fn="l2", normalize=False)(x, vision_inputs=x.detach())["loss"].backward()
    assert x.grad is not None
    assert torch.equal(x.grad, torch.zeros(3, 4))


@pytest.mark.parametrize("shape", [(2, 5), (3, 4)])
def test_features_that_the_reference_does_not_match_are_refused_with_both_shapes(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=rf"vision_features: expected \[2, 4\].*found .*\[{shape[0]}, {shape[1]}\]"):
        FeatureConsistencyLoss(Counting())(torch.ones(shape), vision_inputs=torch.ones(2, 3))


def test_sequences_are_refused() -> None:
    with pytest.raises(ValueError, match=r"text_features: expected floats of shape \[rows, width\]"):
        FeatureConsistencyLoss(None, nn.Identity())(text_features=torch.ones(2, 3, 4), text_inputs=torch.ones(2, 3, 4))


@pytest.mark.parametrize("options", [{"distance_fn": "kl"}, {"reduction": "none"}])
def test_unknown_distances_and_reductions_are_refused_when_the_loss_is_built(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected one of"):
        FeatureConsistencyLoss(nn.Identity(), **options)


def test_a_copy_has_references_of_its_own() -> None:
    loss = FeatureConsistencyLoss(nn.Linear(3, 4))
    twin = copy.deepcopy(loss)
    assert twin.reference_vision_model is not loss.reference_vision_model
    assert not twin.train().reference_vision_model.training  # type: ignore[union-attr]  # there is a reference

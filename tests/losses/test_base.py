"""What every loss inherits: it cannot be built without `forward`, and its results have one form."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from losses import BaseLoss, ContrastiveLoss


class Half(BaseLoss):
    """Half of what it is given."""

    reductions = ("mean", "sum")

    def __init__(self, reduction: str = "mean", weight: float = 0.5) -> None:
        super().__init__(reduction)
        self.weight = weight
        self.layer = nn.Linear(1, 1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return self.results(x.sum() * self.weight, {"given": x.sum(), "weight": self.weight})


class Silent(BaseLoss):
    """Says nothing about how it computes."""


@pytest.mark.parametrize("cls", [BaseLoss, ContrastiveLoss, Silent])
def test_a_loss_without_forward_cannot_be_built(cls: type[BaseLoss]) -> None:
    with pytest.raises(TypeError, match=f"abstract class {cls.__name__} .*forward"):
        cls()


def test_losses_are_modules_in_two_levels() -> None:
    assert ContrastiveLoss.__bases__ == (BaseLoss,)
    assert BaseLoss.__bases__[0] is nn.Module


def test_results_put_the_loss_first_and_detach_the_rest() -> None:
    x = torch.ones(3, requires_grad=True)
    found = Half()(x)
    assert list(found) == ["loss", "given", "weight"]
    assert [value.requires_grad for value in found.values()] == [True, False, False]
    assert (found["given"].item(), found["weight"].item(), found["weight"].shape) == (3.0, 0.5, ())


def test_numbers_among_the_results_live_where_the_loss_lives() -> None:
    assert Half()(torch.ones(3, device="meta"))["weight"].device.type == "meta"


def test_a_reduction_that_makes_no_sense_for_a_loss_is_refused() -> None:
    with pytest.raises(ValueError, match="reduction='none': expected one of 'mean', 'sum'"):
        Half(reduction="none")


def test_the_printed_form_shows_the_options_as_they_stand_and_the_layers() -> None:
    loss = Half(weight=0.25)
    loss.weight = 0.75
    shown = repr(loss)
    assert shown.startswith("Half(\n  reduction='mean', weight=0.75\n")
    assert "(layer): Linear" in shown


@pytest.mark.parametrize("normalize", [True, False])
def test_a_contrastive_loss_compares_rows_at_its_temperature(normalize: bool) -> None:
    class Similarity(ContrastiveLoss):
        def forward(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
            return self.results(self.compute_similarity(a, b), {})

    loss = Similarity(temperature=0.5, normalize=normalize)
    found = loss(torch.tensor([[3.0, 4.0]]), torch.tensor([[0.0, 2.0]]))["loss"]
    assert found.item() == pytest.approx(1.6 if normalize else 16.0)

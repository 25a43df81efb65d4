"""Losses by name."""

from __future__ import annotations

import inspect

import pytest
import torch

import losses
from losses import BaseLoss, CLIPLoss, create, find, names, register, registry


@pytest.fixture(autouse=True)
def _names_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_CLASSES", dict(registry._CLASSES))


class Nothing(BaseLoss):
    """Costs nothing."""

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return self.results(torch.zeros_like(x), {})


def test_a_registered_loss_is_built_by_its_name_with_its_options() -> None:
    loss = create("clip", temperature=0.1)
    assert type(loss) is CLIPLoss
    assert loss.temperature == 0.1


def test_registering_returns_the_class_itself_and_twice_is_once() -> None:
    assert register("nothing")(Nothing) is Nothing
    assert register("nothing")(Nothing) is Nothing
    assert find("nothing") is Nothing
    assert "nothing" in names()


def test_a_name_that_is_taken_is_refused_with_its_holder() -> None:
    with pytest.raises(ValueError, match=r"the name 'clip' is taken by losses\.clip\.CLIPLoss"):
        register("clip")(Nothing)
    assert find("clip") is CLIPLoss


@pytest.mark.parametrize("wrong", ["clop", "CLIP", "clip2"])
def test_an_unknown_name_is_answered_with_the_nearest_and_all_known_ones(wrong: str) -> None:
    with pytest.raises(ValueError, match=rf"no loss is called '{wrong}'; the nearest is 'clip' \(known: .*clip") as caught:
        create(wrong)
    assert all(name in str(caught.value) for name in names())


def test_without_any_loss_the_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_CLASSES", {})
    with pytest.raises(ValueError, match=r"\(known: none\)"):
        find("clip")


def test_every_loss_of_the_package_is_registered() -> None:
    exported = {item for item in vars(losses).values() if inspect.isclass(item) and issubclass(item, BaseLoss)}
    built = {item for item in exported if not inspect.isabstract(item)}
    assert built == {find(name) for name in names()}

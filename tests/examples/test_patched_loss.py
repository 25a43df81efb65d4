"""How a test replaces a loss that the code under test imports late."""

from __future__ import annotations

from unittest import mock

import torch

from examples.self_supervised import decorrelation_penalty


def test_the_penalty_is_what_the_loss_says() -> None:
    features = torch.randn(8, 4)
    with mock.patch("legacy.decorrelation_loss.DecorrelationLoss") as loss_class:
        loss_class.return_value.return_value = {"loss": torch.tensor(0.25)}
        assert decorrelation_penalty(features).item() == 0.25
    loss_class.assert_called_once()


def test_without_the_replacement_the_penalty_grows_with_what_columns_share() -> None:
    torch.manual_seed(0)
    independent = torch.randn(64, 4)
    repeated = independent[:, :1].repeat(1, 4) + 0.1 * independent
    assert decorrelation_penalty(repeated).item() > 2 * decorrelation_penalty(independent).item()

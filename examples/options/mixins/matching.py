"""Which rows belong together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from examples.options.mixins.base import BaseLoss

Ids: TypeAlias = Tensor | Sequence[Hashable]

UNMATCHED = torch.iinfo(torch.int64).min
"""The code of an id that is not equal to itself (NaN)."""


class MatchingMixin(BaseLoss):
    """Turns ids into codes, a mask, or targets."""

    ids_as_text = False
    """Whether a list of ids that begins with no string is compared as text."""

    def encode_ids(self, ids: Ids, rows: int) -> Tensor:
        """One int64 code a row, equal exactly where the ids are equal."""
        if len(ids) != rows:
            raise ValueError(f"expected {rows} ids, found {len(ids)}")
        if isinstance(ids, Tensor):
            exact = (ids.double() + 0.0).view(torch.int64) if ids.is_floating_point() else ids.long()
            return torch.where(ids.isnan(), UNMATCHED, exact)
        return self._encode_list(
            [str(item) for item in ids] if self.ids_as_text and rows and not isinstance(ids[0], str) else ids
        )

    @staticmethod
    def _encode_list(ids: Sequence[Hashable]) -> Tensor:
        codes: dict[Hashable, int] = {}
        # An id that is not equal to itself is a NaN, of whatever type.
        found = [codes.setdefault(item, len(codes)) if item == item else UNMATCHED for item in ids]  # noqa: PLR0124
        return torch.tensor(found, dtype=torch.int64)

    @staticmethod
    def positive_mask(codes: Tensor) -> Tensor:
        """Which rows belong together, [rows, rows]."""
        return (codes[:, None] == codes) & (codes != UNMATCHED)[:, None]

    def draw_targets(self, ids: Ids | None, rows: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """A positive for every row and for every column, drawn at random; row i for row i without ids."""
        if ids is None:
            own = torch.arange(rows, device=device)
            return own, own
        codes = self.encode_ids(ids, rows).to(device)
        drawing = rows if isinstance(ids, Tensor) else int((codes != UNMATCHED).sum())
        words = self._random_words(2 * drawing, device).view(2, drawing)
        if drawing < rows:
            words = F.pad(words, (0, 1))[:, (codes != UNMATCHED).cumsum(0).sub(1).clamp(min=0)]
        return self.pick_positives(codes, words[0]), self.pick_positives(codes, words[1])

    @staticmethod
    def pick_positives(codes: Tensor, words: Tensor) -> Tensor:
        """For every row number `words[i] % n` of the n rows with its code; a row that matches nothing gets itself."""
        ordered, order = torch.sort(codes, stable=True)
        start = torch.searchsorted(ordered, codes)
        count = torch.searchsorted(ordered, codes, right=True) - start
        own = torch.arange(len(codes), device=codes.device)
        return torch.where(codes == UNMATCHED, own, order[start + words % count.clamp(min=1)])

    @staticmethod
    def _random_words(count: int, device: torch.device) -> Tensor:
        """`count`, an even number, of uniform 32-bit numbers: on the CPU the words that single draws would take."""
        pairs = torch.randint(-(2**63), 2**63 - 1, (count // 2,), device=device) ^ -(2**63)
        return torch.stack((pairs >> 32, pairs), dim=1).flatten() & 0xFFFFFFFF

"""Keys of earlier batches as negatives: a memory of features, momentum contrast. A key with a row's
id is a negative, too."""

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from losses import utils
from losses.base import ContrastiveLoss
from losses.registry import register

# Of what does not count: far below all others, but finite, so that a row of nothing else is no NaN.
NO_LOGIT = -1e30
# Logits so close are tied: a positive and its copy in the queue come from two roundings.
TIE, TIE_SHARE = 1e-5, 4e-7


def unit_columns(width: int, size: int, device: torch.device | None = None) -> Tensor:
    """Random directions: what a queue holds before the first batch."""
    return F.normalize(torch.randn(width, size, device=device), dim=0)


@register("memory_queue")
class MemoryQueueLoss(ContrastiveLoss):
    """InfoNCE with features of earlier batches as further negatives (Wang et al. 2020, sec. 3.2).

        n_i = sum over j not in P(i) of e^s_ij
              + sum over texts k in the queue of exp(w cos(v_i, k) / tau),  s = c / tau
        v2t = sum over i, p in P(i) of -log(e^s_ip / (e^s_ip + n_i)) / K;  loss = (v2t + t2v) / 2
        tau = temperature (1.3 - 0.3 r), from r = 0.95 on the temperature
        w   = r / 2 below r = 0.2, else min(1, 1.5 r)

    For c, P, K and reductions see `losses.pairs`; r is the share of slots that earlier batches
    filled. w scales logits, not counts: an empty queue is `queue_size` negatives of logit 0, and
    its random vectors count once r > 0, unless `only_filled`. When queues are drawn, read and
    written, says the table in `docs/losses.md`; once drawn they are in `state_dict`.

    Args:
        queue_size: slots of each of the two queues.
        temperature: the last temperature, above 0.
        only_filled: whether slots that nothing was stored in are left out.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Shape:
        vision_features, text_features: [N, D].
        match_ids: N ids, a list or a tensor.

    Returns:
        `loss` and 0-d `v2t_loss`, `t2v_loss`, `temperature` (tau) and `queue_fill` (r), both
        float64.

    Raises:
        ValueError: an option out of its range, or inputs of other shapes or dtypes.

    Example:
        >>> criterion = MemoryQueueLoss(queue_size=6, temperature=1.0)
        >>> out = criterion(torch.eye(2), torch.eye(2), ["a", "b"])
        >>> out["loss"], out["queue_fill"]
        (tensor(1.4454), tensor(0., dtype=torch.float64))
    """

    vision_queue: Tensor | None
    queue_ptr: Tensor
    queue_fill_level: Tensor

    def __init__(
        self,
        queue_size: int = 8192,
        temperature: float = 0.07,
        only_filled: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(temperature, reduction)
        self.queue_size, self.only_filled = (
            int(utils.check_positive("queue_size", queue_size)),
            only_filled,
        )
        self.register_buffer("vision_queue", None)
        self.register_buffer("text_queue", None)
        self.register_buffer("queue_ptr", torch.zeros(1, dtype=torch.int64))
        self.register_buffer("queue_fill_level", torch.zeros(1, dtype=torch.int64))

    def forward(
        self, vision_features: Tensor, text_features: Tensor, match_ids: utils.Ids
    ) -> dict[str, Tensor]:
        utils.check_features(vision_features=vision_features, text_features=text_features)
        positives = utils.create_positive_mask(
            utils.encode_ids(match_ids, len(vision_features), vision_features.device)
        )
        vision, text = (
            utils.normalize_features(vision_features),
            utils.normalize_features(text_features),
        )
        vision_queue, text_queue, filled = self._queues(vision, draw=self.training)
        ratio, warm = filled[0].double() / self.queue_size, self.temperature * 1.3
        tau = torch.where(ratio >= 0.95, self.temperature, warm - (warm - self.temperature) * ratio)
        scale = torch.where(ratio < 0.2, 0.5 * ratio, (1.5 * ratio).clamp(max=1.0)) / tau
        logits = utils.product(vision, text.t()) / tau
        v2t = self._direction(
            logits, positives, utils.product(vision * scale, text_queue.to(vision.dtype)), filled
        )
        t2v = self._direction(
            logits.t(), positives, utils.product(text * scale, vision_queue.to(text.dtype)), filled
        )
        if self.training:
            self._store(vision, text)
        loss, parts = utils.average_over_pairs(v2t, t2v, positives, self.reduction)
        return self.results(loss, {**parts, "temperature": tau, "queue_fill": ratio})

    def _direction(self, logits: Tensor, positives: Tensor, keys: Tensor, filled: Tensor) -> Tensor:
        """The loss of each row, of its logits with the batch and with all keys."""
        if self.only_filled:
            keys = keys.masked_fill(
                torch.arange(self.queue_size, device=keys.device) >= filled, NO_LOGIT
            )
        negatives = torch.cat((logits.masked_fill(positives, NO_LOGIT), keys), dim=1)
        return utils.isolated_pairs_loss(logits, positives, negatives.logsumexp(dim=1))

    def enqueue(self, vision_features: Tensor, text_features: Tensor) -> None:
        """Store a batch, [N, D] each, without computing a loss; also in evaluation."""
        utils.check_features(vision_features=vision_features, text_features=text_features)
        self._queues(vision_features, draw=True)
        self._store(
            utils.normalize_features(vision_features), utils.normalize_features(text_features)
        )

    @torch.inference_mode(False)
    def _queues(self, rows: Tensor, *, draw: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Both queues and the fill level for a batch.

        Where none has its width, new ones or, unless those may be drawn, zeros.
        """
        width, device = rows.shape[1], rows.device
        if self.queue_ptr.device != device:
            self.to(device)
        if self.vision_queue is None or len(self.vision_queue) != width:
            if not draw:
                nothing = rows.new_zeros(1).expand(width, self.queue_size)
                return nothing, nothing, torch.zeros_like(self.queue_fill_level)
            self.vision_queue, self.text_queue = (
                unit_columns(width, self.queue_size, device) for _ in range(2)
            )
            self.queue_ptr, self.queue_fill_level = torch.zeros(
                2, 1, dtype=torch.int64, device=device
            )
        return self.vision_queue, self.get_buffer("text_queue"), self.queue_fill_level

    @torch.inference_mode(False)  # Training refuses tensors that were made in it.
    def _store(self, vision: Tensor, text: Tensor) -> None:
        # Not in place: the graphs of earlier calls need what they saw.
        self.vision_queue = utils.write_ring_(
            self.get_buffer("vision_queue").clone(), self.queue_ptr.clone(), vision, dim=1
        )
        self.text_queue = utils.write_ring_(
            self.get_buffer("text_queue").clone(), self.queue_ptr, text, dim=1
        )
        self.queue_fill_level = (self.queue_fill_level + len(vision)).clamp(max=self.queue_size)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Make room for the queues that the state has, and drop those that it has not, before it is
        copied."""
        for name in ("vision_queue", "text_queue") if f"{prefix}queue_ptr" in state_dict else ():
            saved = state_dict.get(prefix + name)
            room = (
                None
                if saved is None
                else self.queue_ptr.new_empty((len(saved), self.queue_size), dtype=saved.dtype)
            )
            setattr(self, name, room)
        super()._load_from_state_dict(state_dict, prefix, *rest)


@register("ema_moco")
class MoCoLoss(ContrastiveLoss):
    """Momentum contrast (He et al. 2020, eq. 1, 2) of vision and text, with a queue of each.

        v2t_i = -log(e^s(v_i, k_i) / (sum over j of e^s(v_i, k_j)
                                      + sum over text keys k in the queue of e^s(v_i, k)))
        loss  = mean over i of (v2t_i + t2v_i) / 2, or of v2t_i unless symmetric
        key encoder = momentum key encoder + (1 - momentum) query encoder, after every call

    s is the cosine over the temperature. Keys k_i are encoded by copies of the encoders; t2v has
    vision keys. The other keys of the batch are negatives. All are in the queue before the loss
    (the paper: after it, `enqueue_first=False`): a positive is a negative as well, the loss at
    least log 2. Buffers of a key encoder do not follow. The query encoders are no sub-modules: the
    model has them already. For what queues do in training and evaluation, see the table in
    `docs/losses.md`. A positive that ties with the largest logit is right.

    Args:
        vision_encoder, text_encoder: the query encoders.
        dim: width of the features.
        queue_size: slots of each queue.
        momentum: the share that a key encoder keeps of itself, from 0 to 1.
        temperature: what similarities are divided by, above 0.
        symmetric: whether text queries are compared with vision keys as well.
        update_key_encoder: whether key encoders follow.
        enqueue_first: whether the keys of the batch are stored before they are compared.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Shape:
        vision_queries, text_queries: input of the encoders (features are their own keys where it is
            no tensor).
        vision_features, text_features: [N, dim], N at most `queue_size`; from the query encoders if
            left out.

    Returns:
        `loss` and 0-d `v2t_loss`, `t2v_loss`, `v2t_accuracy`, `t2v_accuracy`, `accuracy`,
        `queue_size`, `momentum`.

    Raises:
        ValueError: an option out of its range, or inputs of other shapes or dtypes.

    Example:
        >>> encoders = nn.Identity(), nn.Identity()
        >>> criterion = MoCoLoss(*encoders, dim=2, queue_size=2, temperature=1.0)
        >>> criterion(torch.eye(2), torch.eye(2))["loss"]
        tensor(1.0064)
    """

    def __init__(
        self,
        vision_encoder: nn.Module,
        text_encoder: nn.Module,
        dim: int = 768,
        queue_size: int = 65536,
        *,
        momentum: float = 0.999,
        temperature: float = 0.07,
        symmetric: bool = True,
        update_key_encoder: bool = True,
        enqueue_first: bool = True,
        reduction: str = "mean",
    ) -> None:
        super().__init__(temperature, reduction)
        self.dim, self.queue_size = (
            int(utils.check_positive("dim", dim)),
            int(utils.check_positive("queue_size", queue_size)),
        )
        self.momentum = utils.check_fraction("momentum", momentum)
        self.symmetric, self.update_key_encoder, self.enqueue_first = (
            symmetric,
            update_key_encoder,
            enqueue_first,
        )
        self.vision_key_encoder = copy.deepcopy(vision_encoder).requires_grad_(False)
        self.text_key_encoder = copy.deepcopy(text_encoder).requires_grad_(False)
        # Past nn.Module's setattr, which would make sub-modules of them.
        vars(self).update(vision_encoder=vision_encoder, text_encoder=text_encoder)
        for name in ("text", "vision")[: 1 + symmetric]:
            self.register_buffer(f"{name}_queue", unit_columns(dim, queue_size))
            self.register_buffer(f"{name}_queue_ptr", torch.zeros(1, dtype=torch.int64))

    def forward(
        self,
        vision_queries: Any,
        text_queries: Any,
        vision_features: Tensor | None = None,
        text_features: Tensor | None = None,
    ) -> dict[str, Tensor]:
        raw = {"vision": vision_queries, "text": text_queries}
        given = {"vision": vision_features, "text": text_features}
        features = {
            name: getattr(self, f"{name}_encoder")(raw[name]) if x is None else x
            for name, x in given.items()
        }
        utils.check_features(vision=features["vision"], text=features["text"])
        queries = {name: utils.normalize_features(x) for name, x in features.items()}
        keys = {name: self._keys(name, raw[name], x) for name, x in queries.items()}
        if self.enqueue_first:
            self._store(keys)
        ways = (("vision", "text"), ("text", "vision"))[: 1 + self.symmetric]
        found = [self._direction(queries[query], keys, key) for query, key in ways]
        (v2t, v2t_hits), (t2v, t2v_hits) = (*found, [torch.zeros_like(x) for x in found[0]])[:2]
        if not self.enqueue_first:
            self._store(keys)
        if self.update_key_encoder:
            self._follow()
        metrics = {"v2t_loss": utils.reduce(v2t, "mean"), "t2v_loss": utils.reduce(t2v, "mean")}
        metrics |= {
            "v2t_accuracy": v2t_hits,
            "t2v_accuracy": t2v_hits,
            "accuracy": (v2t_hits + t2v_hits) / len(ways),
        }
        loss = utils.reduce((v2t + t2v) / len(ways), self.reduction)
        return self.results(
            loss, {**metrics, "queue_size": self.queue_size, "momentum": self.momentum}
        )

    @torch.no_grad()
    def _keys(self, name: str, raw: Any, queries: Tensor) -> Tensor:
        """The keys of one modality, [N, dim], checked for what its queue can take."""
        keys, queue = queries.detach(), self.get_buffer("text_queue")
        if isinstance(raw, Tensor):
            keys = utils.normalize_features(
                self.get_submodule(f"{name}_key_encoder")(raw.detach().clone())
            )
        found, wanted = {queries.shape, keys.shape}, (len(queries), self.dim)
        if found != {wanted} or len(keys) > self.queue_size or keys.device != queue.device:
            limit = f"at most queue_size={self.queue_size} rows on {queue.device}"
            raise ValueError(
                f"{name}: expected features and keys {list(wanted)}, {limit}; found "
                f"{found} on {keys.device}"
            )
        return keys

    @torch.inference_mode(False)  # As in MemoryQueueLoss, and so is the copy.
    def _store(self, keys: dict[str, Tensor]) -> None:
        for name in ("text", "vision")[: 1 + self.symmetric]:
            queue, pointer = (
                self.get_buffer(f"{name}_queue").clone(),
                self.get_buffer(f"{name}_queue_ptr"),
            )
            setattr(self, f"{name}_queue", utils.write_ring_(queue, pointer, keys[name], dim=1))

    def _direction(
        self, queries: Tensor, keys: dict[str, Tensor], name: str
    ) -> tuple[Tensor, Tensor]:
        """The loss of each query against one modality's keys and queue, and the share that finds
        its own key."""
        candidates = (keys[name].t(), self.get_buffer(f"{name}_queue"))
        logits = (
            torch.cat([utils.product(queries, x.to(queries.dtype)) for x in candidates], dim=1)
            / self.temperature
        )
        seen = logits.detach()
        hits = torch.isclose(seen.diagonal(), seen.amax(dim=1), rtol=TIE_SHARE, atol=TIE)
        return utils.info_nce_loss(logits, reduction="none"), utils.reduce(hits.float(), "mean")

    @torch.no_grad()
    def _follow(self) -> None:
        for name in ("vision", "text"):
            query, key = getattr(self, f"{name}_encoder"), self.get_submodule(f"{name}_key_encoder")
            for new, old in zip(query.parameters(), key.parameters(), strict=True):
                old.copy_(old * self.momentum + new * (1.0 - self.momentum))

"""
Contrastive loss for multimodal (image-text) training.

The loss compares image features with text features by InfoNCE. Optionally the
features are projected first, and negatives come from the batch alone, from a
memory bank or from a table of the whole data set.
"""

import logging
import os
import random
from typing import Any, Dict, List, Optional, Tuple

import torch
import torch.nn as nn
import torch.nn.functional as F

logger = logging.getLogger(__name__)


class ContrastiveLoss(nn.Module):
    """
    InfoNCE loss between image and text features.

    Args:
        temperature: Divisor of the similarities
        loss_type: "infonce", "nt_xent" or "supervised"
        reduction: "mean", "sum" or "none"
        add_projection: Whether to project the features first
        projection_dim: Output width of the projection heads
        input_dim: Width of the features, needed for the projection heads
        sampling_strategy: "auto", "in-batch", "memory-bank" or "global"
        memory_bank_size: Number of rows of the memory bank
        dataset_size: Size of the data set, steers "auto" and the global table
    """

    def __init__(
        self,
        temperature: float = 0.07,
        loss_type: str = "infonce",
        reduction: str = "mean",
        add_projection: bool = True,
        projection_dim: int = 256,
        input_dim: Optional[int] = None,
        sampling_strategy: str = "auto",
        memory_bank_size: int = 4096,
        dataset_size: Optional[int] = None,
    ):
        super().__init__()
        self.temperature = temperature
        self.loss_type = loss_type
        self.reduction = reduction
        self.memory_bank_size = memory_bank_size
        self.add_projection = add_projection

        # Pick a strategy that suits the size of the data set
        if sampling_strategy == "auto" and dataset_size is not None:
            if dataset_size < 1000:
                self.sampling_strategy = "global"
            elif dataset_size < 10000:
                self.sampling_strategy = "memory-bank"
            else:
                self.sampling_strategy = "in-batch"
        else:
            self.sampling_strategy = sampling_strategy

        print(
            f"ContrastiveLoss: strategy {self.sampling_strategy}, "
            f"temperature {temperature}, loss type {loss_type}"
        )

        if self.sampling_strategy == "memory-bank":
            if input_dim == 768:
                projection_dim = 768
            bank_dim = projection_dim if add_projection else (input_dim or 768)

            self.register_buffer("vision_bank", torch.zeros(memory_bank_size, bank_dim))
            self.register_buffer("text_bank", torch.zeros(memory_bank_size, bank_dim))
            self.register_buffer("bank_ptr", torch.zeros(1, dtype=torch.long))
            self.register_buffer("bank_size", torch.zeros(1, dtype=torch.long))

        elif self.sampling_strategy == "global":
            self.dataset_size = dataset_size or 1000
            if input_dim == 768:
                projection_dim = 768
            table_dim = projection_dim if add_projection else (input_dim or 768)

            self.register_buffer(
                "global_vision_embeddings", torch.zeros(self.dataset_size, table_dim)
            )
            self.register_buffer(
                "global_text_embeddings", torch.zeros(self.dataset_size, table_dim)
            )
            self.register_buffer(
                "global_indices", torch.zeros(self.dataset_size, dtype=torch.long)
            )
            self.register_buffer("global_size", torch.zeros(1, dtype=torch.long))
            self.register_buffer("global_initialized", torch.tensor(False))

        if add_projection:
            assert input_dim is not None, "input_dim is needed for the projection heads"

            self.vision_projection = nn.Sequential(
                nn.Linear(input_dim, input_dim),
                nn.ReLU(),
                nn.Linear(input_dim, projection_dim),
            )
            self.text_projection = nn.Sequential(
                nn.Linear(input_dim, input_dim),
                nn.ReLU(),
                nn.Linear(input_dim, projection_dim),
            )
            print(f"Projection heads: {input_dim} -> {projection_dim}")

    def train(self, mode: bool = True):
        """
        Set the training mode.

        Args:
            mode: Training if true, evaluation otherwise

        Returns:
            The loss itself
        """
        self.training = mode
        if self.add_projection:
            self.vision_projection.train(mode)
            self.text_projection.train(mode)
        return self

    def eval(self):
        """Set the evaluation mode."""
        return self.train(False)

    def project(
        self, vision_features: torch.Tensor, text_features: torch.Tensor
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """
        Project the features (if there are heads) and normalise them.

        Args:
            vision_features: Image features [batch_size, dim]
            text_features: Text features [batch_size, dim]

        Returns:
            Tuple of the normalised image and text features
        """
        if self.add_projection:
            device = vision_features.device

            # Bring the heads to the features
            if next(self.vision_projection.parameters()).device != device:
                self.vision_projection = self.vision_projection.to(device)
                self.text_projection = self.text_projection.to(device)

            if not hasattr(self, "_project_print_counter"):
                self._project_print_counter = 0
            self._project_print_counter += 1

            # Features of the base models keep their width
            if hasattr(self.vision_projection, "0") and isinstance(
                getattr(self.vision_projection, "0"), nn.Linear
            ):
                head_in = getattr(self.vision_projection, "0").in_features
                head_out = None
                for layer in self.vision_projection.modules():
                    if isinstance(layer, nn.Linear):
                        head_out = layer.out_features

                if head_in == 768 and head_out != 768:
                    print(f"Replacing the heads 768 -> {head_out} by 768 -> 768")
                    self.vision_projection = nn.Sequential(nn.Linear(768, 768)).to(device)
                    self.text_projection = nn.Sequential(nn.Linear(768, 768)).to(device)

            # Fit the vision head to the width of the features
            if hasattr(self.vision_projection, "0") and isinstance(
                getattr(self.vision_projection, "0"), nn.Linear
            ):
                vision_dim = vision_features.shape[-1]
                if getattr(self.vision_projection, "0").in_features != vision_dim:
                    last_layer = list(self.vision_projection.children())[-1]
                    out_dim = (
                        last_layer.out_features
                        if isinstance(last_layer, nn.Linear)
                        else 512
                    )
                    print(f"New vision head for width {vision_dim} -> {out_dim}")
                    self.vision_projection = nn.Sequential(
                        nn.Linear(vision_dim, vision_dim),
                        nn.ReLU(),
                        nn.Linear(vision_dim, out_dim),
                    ).to(device)

            # Fit the text head to the width of the features
            if hasattr(self.text_projection, "0") and isinstance(
                getattr(self.text_projection, "0"), nn.Linear
            ):
                text_dim = text_features.shape[-1]
                if getattr(self.text_projection, "0").in_features != text_dim:
                    last_layer = list(self.text_projection.children())[-1]
                    out_dim = (
                        last_layer.out_features
                        if isinstance(last_layer, nn.Linear)
                        else 512
                    )
                    print(f"New text head for width {text_dim} -> {out_dim}")
                    self.text_projection = nn.Sequential(
                        nn.Linear(text_dim, text_dim),
                        nn.ReLU(),
                        nn.Linear(text_dim, out_dim),
                    ).to(device)

            vision_features = self.vision_projection(vision_features)
            text_features = self.text_projection(text_features)

        vision_features = F.normalize(vision_features, p=2, dim=1)
        text_features = F.normalize(text_features, p=2, dim=1)

        return vision_features, text_features

    def update_memory_bank(
        self, vision_features: torch.Tensor, text_features: torch.Tensor
    ) -> None:
        """
        Write a batch into the memory bank, overwriting the oldest rows.

        Args:
            vision_features: Image features
            text_features: Text features
        """
        if self.sampling_strategy != "memory-bank":
            return

        with torch.no_grad():
            batch_size = vision_features.shape[0]
            ptr = int(self.bank_ptr.item())

            if ptr + batch_size >= self.memory_bank_size:
                # Fill up to the end, then go on at the start
                remaining = self.memory_bank_size - ptr
                self.vision_bank[ptr:] = vision_features[:remaining]
                self.text_bank[ptr:] = text_features[:remaining]

                overflow = batch_size - remaining
                if overflow > 0:
                    self.vision_bank[:overflow] = vision_features[remaining:]
                    self.text_bank[:overflow] = text_features[remaining:]
                new_ptr = overflow
            else:
                self.vision_bank[ptr : ptr + batch_size] = vision_features
                self.text_bank[ptr : ptr + batch_size] = text_features
                new_ptr = ptr + batch_size

            self.bank_ptr[0] = new_ptr % self.memory_bank_size
            self.bank_size[0] = min(
                self.bank_size.item() + batch_size, self.memory_bank_size
            )

    def update_global_embeddings(
        self,
        vision_features: torch.Tensor,
        text_features: torch.Tensor,
        indices: torch.Tensor,
    ) -> None:
        """
        Write a batch into the table of the whole data set.

        Args:
            vision_features: Image features
            text_features: Text features
            indices: Position of each sample in the data set
        """
        if self.sampling_strategy != "global":
            return

        with torch.no_grad():
            for i, idx in enumerate(indices):
                if idx < self.dataset_size:
                    self.global_vision_embeddings[idx] = vision_features[i]
                    self.global_text_embeddings[idx] = text_features[i]
                    self.global_indices[idx] = idx

            max_index = indices.max().item()
            self.global_size[0] = max(self.global_size.item(), max_index + 1)

            if len(indices) > 0:
                self.global_initialized.fill_(True)

    def forward(
        self,
        vision_features: torch.Tensor,
        text_features: torch.Tensor,
        match_ids: Optional[List[str]] = None,
        indices: Optional[torch.Tensor] = None,
        labels: Optional[torch.Tensor] = None,
    ) -> Dict[str, Any]:
        """
        Compute the loss and the retrieval metrics of a batch.

        Args:
            vision_features: Image features [batch_size, dim]
            text_features: Text features [batch_size, dim]
            match_ids: Ids that say which images and texts belong together
            indices: Positions in the data set, for the global table
            labels: Class labels, for the supervised loss

        Returns:
            Dictionary with the loss and the metrics
        """
        batch_size = vision_features.shape[0]
        device = vision_features.device

        if batch_size == 0:
            return {"loss": torch.tensor(0.0, device=device)}

        if text_features.shape[0] != batch_size:
            raise ValueError(
                f"Vision and text batches differ in size: "
                f"{batch_size} and {text_features.shape[0]}"
            )

        if not hasattr(self, "_print_counter"):
            self._print_counter = 0
        self._print_counter += 1

        if self._print_counter % 20 == 0:
            print(
                f"Contrastive loss input: vision {tuple(vision_features.shape)}, "
                f"text {tuple(text_features.shape)}"
            )
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug(
                f"vision {tuple(vision_features.shape)}, text {tuple(text_features.shape)}"
            )

        if vision_features.shape[-1] == 768 and text_features.shape[-1] == 768:
            # Base model features need no projection
            print("Both features have width 768, using them without projection")
            self.add_projection = False
            vision_features = F.normalize(vision_features, p=2, dim=1)
            text_features = F.normalize(text_features, p=2, dim=1)
        else:
            try:
                vision_proj, text_proj = self.project(vision_features, text_features)
                vision_features, text_features = vision_proj, text_proj
            except RuntimeError as e:
                print(f"Projection failed, using the features as they are: {e}")
                vision_features = F.normalize(vision_features, p=2, dim=1)
                text_features = F.normalize(text_features, p=2, dim=1)

        if match_ids is None:
            print("No match ids given, pairing images and texts by position")
            v2t_targets = torch.arange(batch_size, device=device)
            t2i_targets = torch.arange(batch_size, device=device)
        else:
            # Ids are compared as strings
            if not isinstance(match_ids[0], str):
                match_ids = [str(match_id) for match_id in match_ids]

            match_matrix = torch.zeros(
                batch_size, batch_size, dtype=torch.bool, device=device
            )
            for i in range(batch_size):
                for j in range(batch_size):
                    match_matrix[i, j] = match_ids[i] == match_ids[j]

            unique_ids = set(match_ids)
            id_counts = {}
            for match_id in match_ids:
                id_counts[match_id] = id_counts.get(match_id, 0) + 1

            if len(unique_ids) == batch_size and batch_size > 1:
                print(f"All {batch_size} match ids are unique")
            elif len(unique_ids) == 1:
                print(f"All match ids are equal ({max(id_counts.values())} times)")

            # One of the matching texts for each image
            v2t_targets = torch.zeros(batch_size, dtype=torch.long, device=device)
            for i in range(batch_size):
                matches = torch.where(match_matrix[i])[0]
                if len(matches) > 0:
                    choice = torch.randint(0, len(matches), (1,), device=device)
                    v2t_targets[i] = matches[choice]
                else:
                    v2t_targets[i] = i

            # One of the matching images for each text
            t2i_targets = torch.zeros(batch_size, dtype=torch.long, device=device)
            for j in range(batch_size):
                matches = torch.where(match_matrix[:, j])[0]
                if len(matches) > 0:
                    choice = torch.randint(0, len(matches), (1,), device=device)
                    t2i_targets[j] = matches[choice]
                else:
                    t2i_targets[j] = j

        if self.sampling_strategy == "in-batch":
            similarity = (
                torch.matmul(vision_features, text_features.t()) / self.temperature
            )

            # Small batches are easy to memorise, so blur them a little
            if batch_size < 16 and self.training:
                noise_scale = max(0.005, 0.02 * (16 - batch_size) / 16)
                similarity = similarity + torch.randn_like(similarity) * noise_scale

            with torch.no_grad():
                diag_mean = torch.diagonal(similarity).mean().item()
                overall_mean = similarity.mean().item()
                gap = diag_mean - overall_mean

            loss_v2t = F.cross_entropy(similarity, v2t_targets, reduction=self.reduction)
            loss_t2v = F.cross_entropy(
                similarity.t(), t2i_targets, reduction=self.reduction
            )

        elif self.sampling_strategy == "memory-bank" and self.bank_size.item() > 0:
            similarity = (
                torch.matmul(vision_features, text_features.t()) / self.temperature
            )

            # Rows of the bank are further negatives
            bank_size = int(self.bank_size.item())
            vision_bank = self.vision_bank[:bank_size]
            text_bank = self.text_bank[:bank_size]

            v2t_bank = torch.matmul(vision_features, text_bank.t()) / self.temperature
            t2v_bank = torch.matmul(text_features, vision_bank.t()) / self.temperature

            v2t_logits = torch.cat([similarity, v2t_bank], dim=1)
            t2v_logits = torch.cat([similarity.t(), t2v_bank], dim=1)

            loss_v2t = F.cross_entropy(v2t_logits, v2t_targets, reduction=self.reduction)
            loss_t2v = F.cross_entropy(t2v_logits, t2i_targets, reduction=self.reduction)

            if self.training:
                self.update_memory_bank(vision_features, text_features)

        elif (
            self.sampling_strategy == "global"
            and indices is not None
            and self.global_initialized
        ):
            global_size = int(self.global_size.item())
            global_vision = self.global_vision_embeddings[:global_size]
            global_text = self.global_text_embeddings[:global_size]
            global_indices = self.global_indices[:global_size]

            v2t_logits = torch.matmul(vision_features, global_text.t()) / self.temperature
            t2v_logits = torch.matmul(text_features, global_vision.t()) / self.temperature

            # Where the samples of this batch are in the table
            global_v2t_targets = torch.zeros(batch_size, dtype=torch.long, device=device)
            for i in range(batch_size):
                positions = torch.where(global_indices == indices[i])[0].tolist()
                if len(positions) > 0:
                    if match_ids is not None:
                        global_v2t_targets[i] = random.choice(positions)
                    else:
                        global_v2t_targets[i] = positions[0]
                else:
                    global_v2t_targets[i] = i % global_size

            global_t2v_targets = torch.zeros(batch_size, dtype=torch.long, device=device)
            for i in range(batch_size):
                positions = torch.where(global_indices == indices[i])[0].tolist()
                if len(positions) > 0:
                    if match_ids is not None:
                        global_t2v_targets[i] = random.choice(positions)
                    else:
                        global_t2v_targets[i] = positions[0]
                else:
                    global_t2v_targets[i] = i % global_size

            loss_v2t = F.cross_entropy(
                v2t_logits, global_v2t_targets, reduction=self.reduction
            )
            loss_t2v = F.cross_entropy(
                t2v_logits, global_t2v_targets, reduction=self.reduction
            )

            # Metrics stay within the batch
            similarity = (
                torch.matmul(vision_features, text_features.t()) / self.temperature
            )

            if self.training:
                self.update_global_embeddings(vision_features, text_features, indices)

        else:
            similarity = (
                torch.matmul(vision_features, text_features.t()) / self.temperature
            )
            loss_v2t = F.cross_entropy(similarity, v2t_targets, reduction=self.reduction)
            loss_t2v = F.cross_entropy(
                similarity.t(), t2i_targets, reduction=self.reduction
            )

        infonce_loss = (loss_v2t + loss_t2v) / 2

        if self.loss_type == "infonce":
            loss = infonce_loss
        elif self.loss_type == "nt_xent":
            loss = nt_xent_loss(
                vision_features, text_features, self.temperature, self.reduction
            )
        elif self.loss_type == "supervised" and labels is not None:
            loss = supervised_contrastive_loss(
                vision_features, text_features, labels, self.temperature, self.reduction
            )
        else:
            loss = infonce_loss

        with torch.no_grad():
            v2t_pred = torch.argmax(similarity, dim=1)
            t2v_pred = torch.argmax(similarity, dim=0)
            v2t_accuracy = (v2t_pred == v2t_targets).float().mean()
            t2v_accuracy = (t2v_pred == t2i_targets).float().mean()
            accuracy = (v2t_accuracy + t2v_accuracy) / 2

            recalls = compute_recall_at_k(
                similarity,
                K=[1, 5, 10],
                v2t_targets=v2t_targets,
                t2i_targets=t2i_targets,
            )

        return {
            "loss": loss,
            "loss_v2t": loss_v2t.item(),
            "loss_t2v": loss_t2v.item(),
            "v2t_accuracy": v2t_accuracy.item(),
            "t2v_accuracy": t2v_accuracy.item(),
            "accuracy": accuracy.item(),
            "recalls": recalls,
        }


def nt_xent_loss(
    vision_features: torch.Tensor,
    text_features: torch.Tensor,
    temperature: float = 0.07,
    reduction: str = "mean",
) -> torch.Tensor:
    """
    NT-Xent loss over image and text features.

    Every feature of the joined batch has to find its partner of the other
    modality among all other features.

    Args:
        vision_features: Image features [batch_size, dim]
        text_features: Text features [batch_size, dim]
        temperature: Divisor of the similarities
        reduction: "mean", "sum" or "none"

    Returns:
        Loss
    """
    batch_size = vision_features.shape[0]
    device = vision_features.device

    # Images first, then texts
    features = torch.cat([vision_features, text_features], dim=0)

    # The partner sits half the joined batch away
    targets = torch.cat(
        [
            torch.arange(batch_size, device=device) + batch_size,
            torch.arange(batch_size, device=device),
        ],
        dim=0,
    )

    similarity = torch.matmul(features, features.t()) / temperature

    # Take self-similarity out of the softmax
    mask = 1.0 - torch.eye(2 * batch_size, dtype=torch.float32, device=device)
    similarity = similarity * mask - 1e9 * (1 - mask)

    return F.cross_entropy(similarity, targets, reduction=reduction)


def supervised_contrastive_loss(
    vision_features: torch.Tensor,
    text_features: torch.Tensor,
    labels: torch.Tensor,
    temperature: float = 0.07,
    reduction: str = "mean",
) -> torch.Tensor:
    """
    Supervised contrastive loss over image and text features.

    All features of the joined batch that share a label are positives.

    Args:
        vision_features: Image features [batch_size, dim]
        text_features: Text features [batch_size, dim]
        labels: Class labels [batch_size]
        temperature: Divisor of the similarities
        reduction: "mean", "sum" or "none"

    Returns:
        Loss
    """
    batch_size = vision_features.shape[0]
    device = vision_features.device

    # Images first, then texts
    features = torch.cat([vision_features, text_features], dim=0)
    labels = torch.cat([labels, labels], dim=0)
    labels = labels.contiguous().view(-1, 1)

    # Pairs with the same label, without the feature itself
    identity = torch.eye(2 * batch_size, dtype=torch.float32, device=device)
    same_label = torch.eq(labels, labels.t()).float() - identity

    not_self = 1.0 - identity
    positives_mask = same_label * not_self
    negatives_mask = (1.0 - same_label) * not_self

    similarity = torch.matmul(features, features.t()) / temperature
    exp_similarity = torch.exp(similarity)
    exp_negatives = torch.exp(similarity) * negatives_mask

    # Average over the positives of each feature
    positives = (similarity * positives_mask).sum(dim=1) / torch.clamp(
        positives_mask.sum(dim=1), min=1
    )
    denominator = torch.log((exp_similarity * not_self).sum(dim=1))

    loss = -positives + denominator

    if reduction == "mean":
        return loss.mean()
    elif reduction == "sum":
        return loss.sum()
    else:
        return loss


def compute_recall_at_k(
    similarity: torch.Tensor,
    K: List[int] = [1, 5, 10],
    v2t_targets: Optional[torch.Tensor] = None,
    t2i_targets: Optional[torch.Tensor] = None,
) -> Dict[str, float]:
    """
    Recall@K in both retrieval directions.

    Args:
        similarity: Similarity matrix, images in rows
        K: Cut-offs
        v2t_targets: Target text of each image (diagonal if missing)
        t2i_targets: Target image of each text (diagonal if missing)

    Returns:
        Dictionary with the recalls of both directions and their average
    """
    batch_size = similarity.shape[0]
    device = similarity.device

    if v2t_targets is None:
        v2t_targets = torch.arange(batch_size, device=device)
    if t2i_targets is None:
        t2i_targets = torch.arange(batch_size, device=device)

    recalls = {}
    for k in K:
        k_capped = min(k, batch_size)

        # Image to text
        _, v2t_indices = torch.topk(similarity, k_capped, dim=1)
        v2t_hits = torch.zeros(batch_size, dtype=torch.bool, device=device)
        for i in range(batch_size):
            v2t_hits[i] = torch.any(v2t_indices[i] == v2t_targets[i])
        v2t_recall = v2t_hits.float().mean().item()

        # Text to image
        _, t2i_indices = torch.topk(similarity.t(), k_capped, dim=1)
        t2i_hits = torch.zeros(batch_size, dtype=torch.bool, device=device)
        for j in range(batch_size):
            t2i_hits[j] = torch.any(t2i_indices[j] == t2i_targets[j])
        t2i_recall = t2i_hits.float().mean().item()

        recalls[f"v2t_recall@{k}"] = v2t_recall
        recalls[f"t2i_recall@{k}"] = t2i_recall
        recalls[f"avg_recall@{k}"] = (v2t_recall + t2i_recall) / 2

    return recalls


def extract_file_metadata(file_path=__file__):
    """
    Describe this file for the project overview.

    Args:
        file_path: Path of the file

    Returns:
        Dictionary with the description
    """
    return {
        "filename": os.path.basename(file_path),
        "module_purpose": "Contrastive loss for aligning image and text features",
        "key_classes": [
            {
                "name": "ContrastiveLoss",
                "purpose": "InfoNCE with projection heads and several sources of negatives",
                "key_methods": [
                    {
                        "name": "forward",
                        "signature": "forward(self, vision_features, text_features, match_ids=None, indices=None, labels=None) -> Dict[str, Any]",
                        "brief_description": "Computes the loss and the metrics",
                    },
                    {
                        "name": "project",
                        "signature": "project(self, vision_features, text_features) -> Tuple[torch.Tensor, torch.Tensor]",
                        "brief_description": "Projects and normalises the features",
                    },
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn.functional"],
            }
        ],
        "key_functions": [
            {
                "name": "nt_xent_loss",
                "brief_description": "NT-Xent over the joined batch",
            },
            {
                "name": "supervised_contrastive_loss",
                "brief_description": "Supervised contrastive loss over the joined batch",
            },
            {
                "name": "compute_recall_at_k",
                "brief_description": "Recall in both retrieval directions",
            },
        ],
        "external_dependencies": ["torch"],
        "complexity_score": 8,
    }

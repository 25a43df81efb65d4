"""
Contrastive loss with a memory queue.

Embeddings of earlier batches are kept in a FIFO queue per modality and serve as
additional negatives, so that the number of negatives does not depend on the
batch size.
"""

import os

import torch
import torch.nn as nn
import torch.nn.functional as F


class MemoryQueueContrastiveLoss(nn.Module):
    """
    Bidirectional InfoNCE whose negatives are the non-matching pairs of the batch
    and all entries of the queue of the other modality.

    Temperature and influence of the queue depend on how full the queue is.
    """

    def __init__(self, dim=512, queue_size=8192, temperature=0.07):
        """
        Args:
            dim: Feature dimension
            queue_size: Number of embeddings kept per modality
            temperature: Temperature once the queue is full
        """
        super().__init__()
        self.temperature = temperature
        self.queue_size = queue_size
        self.dim = dim

        # The queues are created by the first batch, which knows the feature width
        self.register_buffer("vision_queue", None)
        self.register_buffer("text_queue", None)
        self.register_buffer("queue_ptr", torch.zeros(1, dtype=torch.long))
        self.register_buffer("queue_fill_level", torch.zeros(1, dtype=torch.long))

        self.initialized = False
        self.use_two_buffers = True

        # Start softer while the queue still holds mostly random vectors
        self.initial_temperature = temperature
        self.max_temperature = temperature * 1.3

    def _create_queues(self, width, device):
        """Fill both queues with random unit vectors, one per column."""
        vision_queue = F.normalize(
            torch.randn(width, self.queue_size, device=device), dim=0
        )
        text_queue = F.normalize(
            torch.randn(width, self.queue_size, device=device), dim=0
        )
        self.register_buffer("vision_queue", vision_queue)
        self.register_buffer("text_queue", text_queue)

    def initialize_queue(self, vision_features, text_features):
        """
        Enqueue a batch without computing a loss.

        Args:
            vision_features: Vision embeddings [batch, dim]
            text_features: Text embeddings [batch, dim]
        """
        if not isinstance(vision_features, torch.Tensor) or not isinstance(
            text_features, torch.Tensor
        ):
            print("Queue not pre-filled: tensors expected for both modalities")
            return

        if not self.initialized:
            self._create_queues(vision_features.shape[1], vision_features.device)
            self.initialized = True

        vision_features = F.normalize(vision_features, dim=1)
        text_features = F.normalize(text_features, dim=1)
        self._update_queue(vision_features, text_features)

        print(
            f"Queue pre-filled: {self.queue_fill_level.item()} of {self.queue_size} entries"
        )

    @torch.no_grad()
    def _update_queue(self, vision_features, text_features):
        """
        Write a batch at the pointer, wrapping around at the end of the queue.

        Args:
            vision_features: Normalized vision embeddings [batch, dim]
            text_features: Normalized text embeddings [batch, dim]
        """
        if not self.initialized:
            return

        batch_size = vision_features.shape[0]
        ptr = int(self.queue_ptr.item())
        fill_level = int(self.queue_fill_level.item())

        vision_queue = self.vision_queue.clone()
        text_queue = self.text_queue.clone()

        if ptr + batch_size <= self.queue_size:
            vision_queue[:, ptr : ptr + batch_size] = vision_features.T
            text_queue[:, ptr : ptr + batch_size] = text_features.T
        else:
            first = self.queue_size - ptr
            remaining = batch_size - first
            vision_queue[:, ptr:] = vision_features[:first].T
            text_queue[:, ptr:] = text_features[:first].T
            vision_queue[:, :remaining] = vision_features[first:].T
            text_queue[:, :remaining] = text_features[first:].T

        new_ptr = (ptr + batch_size) % self.queue_size
        new_fill_level = min(fill_level + batch_size, self.queue_size)

        device = vision_queue.device
        self.register_buffer("vision_queue", vision_queue)
        self.register_buffer("text_queue", text_queue)
        self.register_buffer(
            "queue_ptr", torch.tensor([new_ptr], dtype=torch.long, device=device)
        )
        self.register_buffer(
            "queue_fill_level",
            torch.tensor([new_fill_level], dtype=torch.long, device=device),
        )

    def forward(self, vision_features, text_features, match_ids):
        """
        Args:
            vision_features: Vision embeddings [batch, dim]
            text_features: Text embeddings [batch, dim]
            match_ids: One id per sample; equal ids are positives

        Returns:
            Dictionary with the loss of both directions, temperature and queue fill
        """
        device = vision_features.device
        width = vision_features.shape[1]

        if not self.initialized:
            print(f"Creating queues of {self.queue_size} entries, width {width}")
            self._create_queues(width, device)
            self.register_buffer(
                "queue_fill_level", torch.zeros(1, dtype=torch.long, device=device)
            )
            self.initialized = True
        elif self.vision_queue.shape[0] != width:
            print(
                f"Feature width changed from {self.vision_queue.shape[0]} to {width}, "
                f"creating the queues again"
            )
            self._create_queues(width, device)
            self.register_buffer(
                "queue_fill_level", torch.zeros(1, dtype=torch.long, device=device)
            )
        elif self.vision_queue.device != device:
            self.vision_queue = self.vision_queue.to(device)
            self.text_queue = self.text_queue.to(device)
            self.queue_ptr = self.queue_ptr.to(device)
            self.queue_fill_level = self.queue_fill_level.to(device)

        batch_size = vision_features.shape[0]
        vision_features = F.normalize(vision_features, dim=1)
        text_features = F.normalize(text_features, dim=1)

        # Which pairs carry the same id
        match_matrix = torch.zeros(
            (batch_size, batch_size), dtype=torch.bool, device=device
        )
        for i in range(batch_size):
            for j in range(batch_size):
                match_matrix[i, j] = match_ids[i] == match_ids[j]

        fill_level = min(int(self.queue_fill_level.item()), self.queue_size)
        fill_ratio = fill_level / self.queue_size

        # The temperature falls to its final value as the queue fills up
        temperature = (
            self.max_temperature
            - (self.max_temperature - self.initial_temperature) * fill_ratio
        )
        if fill_ratio >= 0.95:
            temperature = self.initial_temperature

        logits = torch.matmul(vision_features, text_features.T) / temperature
        v2t_queue_logits = (
            torch.matmul(vision_features, self.text_queue.detach()) / temperature
        )
        t2v_queue_logits = (
            torch.matmul(text_features, self.vision_queue.detach()) / temperature
        )

        # Let the queue count less while it is sparse
        queue_weight = min(1.0, 1.5 * fill_ratio)
        if fill_ratio < 0.2:
            queue_weight = 0.5 * fill_ratio
        v2t_queue_logits = v2t_queue_logits * queue_weight
        t2v_queue_logits = t2v_queue_logits * queue_weight

        # Vision to text
        v2t_loss = 0.0
        for i in range(batch_size):
            pos_mask = match_matrix[i]
            if not pos_mask.any():
                continue
            row = logits[i]
            negatives = torch.cat([row[~pos_mask], v2t_queue_logits[i]])
            for pos_logit in row[pos_mask]:
                pos_exp = torch.exp(pos_logit)
                neg_sum = torch.exp(negatives).sum()
                v2t_loss = v2t_loss + -torch.log(pos_exp / (pos_exp + neg_sum))

        # Text to vision
        t2v_loss = 0.0
        for i in range(batch_size):
            pos_mask = match_matrix[:, i]
            if not pos_mask.any():
                continue
            column = logits[:, i]
            negatives = torch.cat([column[~pos_mask], t2v_queue_logits[i]])
            for pos_logit in column[pos_mask]:
                pos_exp = torch.exp(pos_logit)
                neg_sum = torch.exp(negatives).sum()
                t2v_loss = t2v_loss + -torch.log(pos_exp / (pos_exp + neg_sum))

        self._update_queue(vision_features.detach(), text_features.detach())

        num_positives = match_matrix.sum().item()
        if num_positives == 0:
            return {"loss": torch.tensor(0.0, device=device)}

        v2t_loss = v2t_loss / num_positives
        t2v_loss = t2v_loss / num_positives
        loss = (v2t_loss + t2v_loss) / 2

        # Report now and then
        if torch.rand(1).item() < 0.01:
            print(
                f"Memory queue: {fill_ratio:.1%} full, temperature {temperature:.4f}, "
                f"loss {loss.item():.4f}"
            )

        return {
            "loss": loss,
            "loss_v2t": v2t_loss.item(),
            "loss_t2v": t2v_loss.item(),
            "temperature": temperature,
            "queue_fill": fill_ratio,
        }


def extract_file_metadata(file_path=__file__):
    """
    Describe this file for the project index.

    Args:
        file_path: Path of the file

    Returns:
        Dictionary with the description
    """
    return {
        "filename": os.path.basename(file_path),
        "module_purpose": "Contrastive loss with queues of earlier embeddings as negatives",
        "key_classes": [
            {
                "name": "MemoryQueueContrastiveLoss",
                "purpose": "InfoNCE with in-batch negatives and a memory queue per modality",
                "key_methods": [
                    {
                        "name": "__init__",
                        "signature": "__init__(self, dim=768, queue_size=8192, temperature=0.07, momentum=0.999)",
                        "brief_description": "Set up the empty queues",
                    },
                    {
                        "name": "forward",
                        "signature": "forward(self, vision_features, text_features, match_ids=None, **kwargs)",
                        "brief_description": "Compute the loss and enqueue the batch",
                    },
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn", "torch.nn.functional"],
            }
        ],
        "external_dependencies": ["torch"],
        "complexity_score": 7,
    }

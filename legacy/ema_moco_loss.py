"""
MoCo loss for two modalities with momentum encoders.

Reference: He et al., Momentum Contrast for Unsupervised Visual Representation
Learning, CVPR 2020.
"""

import copy
import logging

import torch
import torch.nn as nn
import torch.nn.functional as F

logger = logging.getLogger(__name__)


class EMAMoCoLoss(nn.Module):
    """
    Momentum contrast between vision and text.

    Keys come from slowly moving copies of the encoders and are kept in queues
    that provide the negatives.
    """

    def __init__(
        self,
        vision_encoder,
        text_encoder,
        dim=768,
        K=65536,
        m=0.999,
        T=0.07,
        symmetric=True,
        update_key_encoder=True,
    ):
        """
        Args:
            vision_encoder: Query encoder for vision
            text_encoder: Query encoder for text
            dim: Width of the encoded features
            K: Number of keys in a queue
            m: Momentum of the key encoders
            T: Softmax temperature
            symmetric: Also contrast text with vision keys
            update_key_encoder: Whether the key encoders follow the query encoders
        """
        super().__init__()
        self.K = K
        self.m = m
        self.T = T
        self.symmetric = symmetric
        self.update_key_encoder = update_key_encoder
        self.dim = dim

        self.vision_key_encoder = self._copy_encoder(vision_encoder)
        self.text_key_encoder = self._copy_encoder(text_encoder)

        self.register_buffer("text_queue", F.normalize(torch.randn(dim, K), dim=0))
        self.register_buffer("text_queue_ptr", torch.zeros(1, dtype=torch.long))

        if symmetric:
            self.register_buffer(
                "vision_queue", F.normalize(torch.randn(dim, K), dim=0)
            )
            self.register_buffer("vision_queue_ptr", torch.zeros(1, dtype=torch.long))

    def _copy_encoder(self, encoder):
        """Copy an encoder and freeze the parameters of the copy."""
        key_encoder = copy.deepcopy(encoder)
        for param in key_encoder.parameters():
            param.requires_grad = False
        return key_encoder

    @torch.no_grad()
    def _momentum_update(self, query_encoder, key_encoder):
        """Move the key encoder towards the query encoder."""
        if not self.update_key_encoder:
            return

        for param_q, param_k in zip(
            query_encoder.parameters(), key_encoder.parameters()
        ):
            param_k.data = param_k.data * self.m + param_q.data * (1.0 - self.m)

    @torch.no_grad()
    def _update_queue(self, queue, queue_ptr, keys):
        """Write the keys at the pointer, wrapping around at the end of the queue."""
        queue = queue.to(keys.device)
        batch_size = keys.shape[0]
        ptr = int(queue_ptr.item())

        if ptr + batch_size <= self.K:
            queue[:, ptr : ptr + batch_size] = keys.T
        else:
            remaining = self.K - ptr
            queue[:, ptr:] = keys[:remaining].T
            queue[:, : batch_size - remaining] = keys[remaining:].T

        queue_ptr[0] = (ptr + batch_size) % self.K

    def forward(
        self,
        vision_queries,
        text_queries,
        vision_features=None,
        text_features=None,
        **kwargs,
    ):
        """
        Args:
            vision_queries: Raw vision input of the encoders
            text_queries: Raw text input of the encoders
            vision_features: Encoded vision queries, if already there
            text_features: Encoded text queries, if already there

        Returns:
            Dictionary with the losses, accuracies and queue settings
        """
        if isinstance(vision_queries, torch.Tensor):
            batch_size = vision_queries.shape[0]
        else:
            batch_size = vision_features.shape[0]

        if vision_features is not None:
            device = vision_features.device
        else:
            device = vision_queries.device

        if vision_features is None:
            vision_features = self.vision_encoder(vision_queries)
        if text_features is None:
            text_features = self.text_encoder(text_queries)

        q_vision = F.normalize(vision_features, p=2, dim=1)
        q_text = F.normalize(text_features, p=2, dim=1)

        with torch.no_grad():
            if isinstance(vision_queries, torch.Tensor):
                k_vision = self.vision_key_encoder(vision_queries.detach().clone())
                k_vision = F.normalize(k_vision, p=2, dim=1)
            else:
                logger.warning(
                    "Vision queries are not a tensor, using the query features as keys"
                )
                k_vision = q_vision.detach().clone()

            if isinstance(text_queries, torch.Tensor):
                k_text = self.text_key_encoder(text_queries.detach().clone())
                k_text = F.normalize(k_text, p=2, dim=1)
            else:
                logger.warning(
                    "Text queries are not a tensor, using the query features as keys"
                )
                k_text = q_text.detach().clone()

            self._update_queue(self.text_queue, self.text_queue_ptr, k_text)
            if self.symmetric:
                self._update_queue(self.vision_queue, self.vision_queue_ptr, k_vision)

        labels = torch.arange(batch_size, device=device)

        # Vision queries against text keys
        v2t_batch = torch.matmul(q_vision, k_text.T) / self.T
        v2t_queue = torch.matmul(q_vision, self.text_queue.to(device)) / self.T
        v2t_logits = torch.cat([v2t_batch, v2t_queue], dim=1)
        v2t_loss = F.cross_entropy(v2t_logits, labels)

        if self.symmetric:
            # Text queries against vision keys
            t2v_batch = torch.matmul(q_text, k_vision.T) / self.T
            t2v_queue = torch.matmul(q_text, self.vision_queue.to(device)) / self.T
            t2v_logits = torch.cat([t2v_batch, t2v_queue], dim=1)
            t2v_loss = F.cross_entropy(t2v_logits, labels)
            loss = (v2t_loss + t2v_loss) / 2
        else:
            loss = v2t_loss

        self._momentum_update(self.vision_encoder, self.vision_key_encoder)
        self._momentum_update(self.text_encoder, self.text_key_encoder)

        with torch.no_grad():
            v2t_accuracy = (v2t_logits.argmax(dim=1) == labels).float().mean()
            if self.symmetric:
                t2v_accuracy = (t2v_logits.argmax(dim=1) == labels).float().mean()
                accuracy = (v2t_accuracy + t2v_accuracy) / 2
            else:
                accuracy = v2t_accuracy

        return {
            "loss": loss,
            "v2t_loss": v2t_loss.item(),
            "t2v_loss": t2v_loss.item() if self.symmetric else 0.0,
            "v2t_accuracy": v2t_accuracy.item(),
            "t2v_accuracy": t2v_accuracy.item() if self.symmetric else 0.0,
            "accuracy": accuracy.item(),
            "queue_size": self.K,
            "momentum": self.m,
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
        "module_purpose": "MoCo loss for vision and text with momentum encoders",
        "key_classes": [
            {
                "name": "EMAMoCoLoss",
                "purpose": "Momentum contrast with one key queue per modality",
                "key_methods": [
                    {
                        "name": "forward",
                        "signature": "forward(self, vision_queries, text_queries, vision_features=None, text_features=None, **kwargs)",
                        "brief_description": "Compute the loss and advance keys and queues",
                    },
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn", "torch.nn.functional"],
            }
        ],
        "external_dependencies": ["torch"],
        "complexity_score": 8,
    }

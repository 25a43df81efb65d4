"""
Contrastive loss with a batch-dependent temperature.

A bidirectional InfoNCE in which the temperature is derived from how far apart
matching and non-matching pairs are in the current batch.
"""

import os

import torch
import torch.nn as nn
import torch.nn.functional as F


class DynamicTemperatureContrastiveLoss(nn.Module):
    """
    InfoNCE over all positives of an anchor with a temperature computed from
    the gap between the mean positive and the mean negative similarity.
    """

    def __init__(self, base_temperature=0.07, min_temp=0.04, max_temp=0.2, dim=768):
        """
        Args:
            base_temperature: Temperature around which the batch value moves
            min_temp: Lower bound of the temperature
            max_temp: Upper bound of the temperature
            dim: Feature dimension
        """
        super().__init__()
        self.base_temperature = base_temperature
        self.min_temp = min_temp
        self.max_temp = max_temp
        self.dim = dim

        print(f"DynamicTemperatureContrastiveLoss ready (dim={dim})")

    def forward(self, vision_features, text_features, match_ids):
        """
        Args:
            vision_features: Vision embeddings [batch, dim]
            text_features: Text embeddings [batch, dim]
            match_ids: One id per sample; equal ids are positives

        Returns:
            Dictionary with the loss, the temperature used and similarity statistics
        """
        vision_features = F.normalize(vision_features, dim=1)
        text_features = F.normalize(text_features, dim=1)

        similarity = torch.matmul(vision_features, text_features.T)

        # Which pairs carry the same id
        batch_size = len(match_ids)
        match_matrix = torch.zeros(
            (batch_size, batch_size), dtype=torch.bool, device=similarity.device
        )
        for i in range(batch_size):
            for j in range(batch_size):
                match_matrix[i, j] = match_ids[i] == match_ids[j]

        pos_mask = match_matrix.float()
        neg_mask = 1.0 - pos_mask
        pos_mask.fill_diagonal_(0)

        pos_mean = (pos_mask * similarity).sum() / pos_mask.sum().clamp(min=1.0)
        neg_mean = (neg_mask * similarity).sum() / neg_mask.sum().clamp(min=1.0)

        # A wide gap sharpens the softmax, a narrow one softens it
        gap = pos_mean - neg_mean
        temperature = self.base_temperature * (0.8 + 0.4 * torch.exp(-2.0 * gap))
        temperature = torch.clamp(temperature, self.min_temp, self.max_temp)

        # Vision to text
        v2t_loss = 0.0
        for i in range(batch_size):
            positives = torch.where(match_matrix[i])[0]
            if len(positives) == 0:
                continue
            logits = similarity[i, :] / temperature
            for pos_idx in positives:
                v2t_loss = v2t_loss + (
                    -logits[pos_idx] + torch.logsumexp(logits, dim=0)
                )

        # Text to vision
        t2v_loss = 0.0
        for i in range(batch_size):
            positives = torch.where(match_matrix[:, i])[0]
            if len(positives) == 0:
                continue
            logits = similarity[:, i] / temperature
            for pos_idx in positives:
                t2v_loss = t2v_loss + (
                    -logits[pos_idx] + torch.logsumexp(logits, dim=0)
                )

        num_positives = match_matrix.sum().item()
        if num_positives == 0:
            return {"loss": torch.tensor(0.0, device=similarity.device)}

        v2t_loss = v2t_loss / num_positives
        t2v_loss = t2v_loss / num_positives
        loss = (v2t_loss + t2v_loss) / 2

        return {
            "loss": loss,
            "temperature": temperature.item(),
            "pos_similarity": pos_mean.item(),
            "neg_similarity": neg_mean.item(),
            "v2t_loss": v2t_loss.item(),
            "t2v_loss": t2v_loss.item(),
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
        "module_purpose": "Contrastive loss whose temperature adapts to the batch",
        "key_classes": [
            {
                "name": "DynamicTemperatureContrastiveLoss",
                "purpose": "InfoNCE with a temperature driven by similarity statistics",
                "key_methods": [
                    {
                        "name": "__init__",
                        "signature": "__init__(self, base_temperature=0.07, adaptive=True, dim=768)",
                        "brief_description": "Set the temperature range",
                    },
                    {
                        "name": "forward",
                        "signature": "forward(self, vision_features, text_features, match_ids=None, **kwargs)",
                        "brief_description": "Compute the loss at the batch temperature",
                    },
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn", "torch.nn.functional"],
            }
        ],
        "external_dependencies": ["torch"],
        "complexity_score": 7,
    }

"""
Contrastive loss that gives more weight to hard negatives.

The negatives of an anchor keep their place in the denominator, but those that
the mining strategy selects are multiplied by a factor.
"""

import os

import torch
import torch.nn as nn
import torch.nn.functional as F


class HardNegativeMiningContrastiveLoss(nn.Module):
    """
    Bidirectional InfoNCE with several positives per anchor and weighted negatives.

    Strategies:
        "hard": the most similar tenth of the negatives is weighted
        "semi-hard": negatives a little less similar than the positives are weighted
    """

    def __init__(
        self,
        temperature=0.07,
        hard_negative_factor=2.0,
        mining_strategy="semi-hard",
        dim=768,
    ):
        """
        Args:
            temperature: Softmax temperature
            hard_negative_factor: Weight of the selected negatives
            mining_strategy: "hard" or "semi-hard"
            dim: Feature dimension
        """
        super().__init__()
        self.temperature = temperature
        self.hard_negative_factor = hard_negative_factor
        self.mining_strategy = mining_strategy
        self.dim = dim

        print(
            f"HardNegativeMiningContrastiveLoss ready "
            f"(strategy={mining_strategy}, factor={hard_negative_factor}, dim={dim})"
        )

    def forward(self, vision_features, text_features, match_ids):
        """
        Args:
            vision_features: Vision embeddings [batch, dim]
            text_features: Text embeddings [batch, dim]
            match_ids: One id per sample; equal ids are positives

        Returns:
            Dictionary with the loss of both directions and the weighting factor
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

        # Vision to text
        v2t_loss = 0.0
        for i in range(batch_size):
            pos_indices = torch.where(match_matrix[i])[0]
            if len(pos_indices) == 0:
                continue
            pos_sim = similarity[i, pos_indices]
            pos_mean = pos_sim.mean()

            neg_indices = torch.where(~match_matrix[i])[0]
            if len(neg_indices) == 0:
                continue
            neg_sim = similarity[i, neg_indices]
            neg_weights = torch.ones_like(neg_sim)

            if self.mining_strategy == "hard":
                k = max(1, int(len(neg_indices) * 0.1))
                _, hard_indices = torch.topk(neg_sim, k)
                neg_weights[hard_indices] = self.hard_negative_factor
            elif self.mining_strategy == "semi-hard":
                semi_hard = (neg_sim > pos_mean - 0.2) & (neg_sim < pos_mean)
                if semi_hard.any():
                    neg_weights[semi_hard] = self.hard_negative_factor

            pos_exp = torch.exp(pos_sim / self.temperature)
            neg_sum = (torch.exp(neg_sim / self.temperature) * neg_weights).sum()

            for p in range(len(pos_indices)):
                v2t_loss = v2t_loss + -torch.log(pos_exp[p] / (pos_exp[p] + neg_sum))

        # Text to vision
        t2v_loss = 0.0
        for i in range(batch_size):
            pos_indices = torch.where(match_matrix[:, i])[0]
            if len(pos_indices) == 0:
                continue
            pos_sim = similarity[pos_indices, i]
            pos_mean = pos_sim.mean()

            neg_indices = torch.where(~match_matrix[:, i])[0]
            if len(neg_indices) == 0:
                continue
            neg_sim = similarity[neg_indices, i]
            neg_weights = torch.ones_like(neg_sim)

            if self.mining_strategy == "hard":
                k = max(1, int(len(neg_indices) * 0.1))
                _, hard_indices = torch.topk(neg_sim, k)
                neg_weights[hard_indices] = self.hard_negative_factor
            elif self.mining_strategy == "semi-hard":
                semi_hard = (neg_sim > pos_mean - 0.2) & (neg_sim < pos_mean)
                if semi_hard.any():
                    neg_weights[semi_hard] = self.hard_negative_factor

            pos_exp = torch.exp(pos_sim / self.temperature)
            neg_sum = (torch.exp(neg_sim / self.temperature) * neg_weights).sum()

            for p in range(len(pos_indices)):
                t2v_loss = t2v_loss + -torch.log(pos_exp[p] / (pos_exp[p] + neg_sum))

        num_positives = match_matrix.sum().item()
        if num_positives == 0:
            return {"loss": torch.tensor(0.0, device=similarity.device)}

        v2t_loss = v2t_loss / num_positives
        t2v_loss = t2v_loss / num_positives
        loss = (v2t_loss + t2v_loss) / 2

        return {
            "loss": loss,
            "v2t_loss": v2t_loss.item(),
            "t2v_loss": t2v_loss.item(),
            "hard_negative_factor": self.hard_negative_factor,
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
        "module_purpose": "Contrastive loss with mining of hard negatives",
        "key_classes": [
            {
                "name": "HardNegativeMiningContrastiveLoss",
                "purpose": "InfoNCE in which hard or semi-hard negatives weigh more",
                "key_methods": [
                    {
                        "name": "__init__",
                        "signature": "__init__(self, temperature=0.07, mining_strategy='semi-hard', mining_ratio=0.5, dim=768)",
                        "brief_description": "Choose the mining strategy and its strength",
                    },
                    {
                        "name": "forward",
                        "signature": "forward(self, vision_features, text_features, match_ids=None, **kwargs)",
                        "brief_description": "Compute the loss with weighted negatives",
                    },
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn", "torch.nn.functional"],
            }
        ],
        "external_dependencies": ["torch"],
        "complexity_score": 8,
    }

"""Barlow Twins over vision and text -> losses.BarlowTwinsLoss.

Branches of the legacy module that no case reaches: the move of the heads to another device (a CPU has no second one).
"""

from lossport.port import Gone, Port, divergence, number, rename, tensor

PORTS = (
    Port(
        legacy="legacy.barlow_twins_loss.BarlowTwinsLoss",
        new="losses.BarlowTwinsLoss",
        parameters=(rename("normalize_embeddings", "normalize"),),
        returns=(
            tensor("0", "loss"),
            number("1.diagonal_loss", "diagonal_loss"),
            number("1.off_diagonal_loss", "off_diagonal_loss"),
        ),
        divergences=(
            divergence(
                "barlow-4",
                "any unknown mode passed for within_batch: a ValueError lists the two modes",
                cases="unknown_mode",
                places="raises",
            ),
            divergence(
                "barlow-5",
                "sizes that differ were broadcast, compared by halves or not looked at, or failed deep inside: a ValueError says "
                "what was found and expected",
                cases="sizes_*",
                places="raises",
            ),
            divergence(
                "barlow-6",
                "the zero of an empty batch had no graph and was float32: it can be differentiated, in the features' precision",
                cases=("empty_batch", "*@batch-0"),
                places=("returns", 'returns["loss"]', "gradients[*]"),
            ),
            divergence(
                "barlow-heads",
                "heads without a width had an assertion: a ValueError names the option",
                cases="heads_without_a_width",
                places="raises",
            ),
            divergence(
                "barlow-half",
                "half precision is computed in float32, and so are the projected rows that the loss compares",
                cases=("*_alone@float16", "*_alone@bfloat16", "*_alone@autocast"),
                places="returns[?]",
            ),
        ),
    ),
    Gone("legacy.barlow_twins_loss.extract_file_metadata", reason="barlow-10: prose about the file; nothing reads it"),
)

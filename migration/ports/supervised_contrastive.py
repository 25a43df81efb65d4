"""How the supervised contrastive loss of two modalities becomes `losses.SupConLoss`.

Branches of the legacy module that no case reaches: those for several labels a row behind the crash of that path (sup-6: three
times the weights), and the metadata.
"""

from lossport.port import Gone, Port, divergence, drop, number, tensor

PARTS = ("intra_vision_loss", "intra_text_loss", "cross_modal_loss")

PORTS = (
    Port(
        legacy="legacy.supervised_contrastive_loss.SupervisedContrastiveLoss",
        new="losses.SupConLoss",
        forward=(
            drop("match_ids", reason="sup-3: swallowed with every other unknown keyword, never read; labels say what matches"),
        ),
        returns=(tensor("loss"), *(number(name) for name in PARTS), number("contrastive_accuracy")),
        divergences=(
            divergence(
                "sup-1",
                "without labels and scores the loss was a constant 0 that trains nothing: a ValueError",
                cases=("nothing_given", "match_ids_alone"),
                places="raises",
            ),
            divergence(
                "sup-4",
                "text to vision divided column positives by row counts and took row validity: columns throughout",
                cases=("scores_that_are_not_symmetric", "scores_alike_for_all_rows"),
                places=('returns["loss"]', 'returns["cross_modal_loss"]', "gradients[*]"),
            ),
            divergence(
                "sup-5",
                "reduction none failed for more than one row, and so did unknown ones, if late: one loss a row, or a ValueError",
                cases=("reduction_none", "an_unknown_reduction"),
                places=("raises", "instances"),
            ),
            divergence(
                "sup-6",
                "several labels a row crashed: rows that share one are positives",
                cases="several_labels_a_row",
                places="raises",
            ),
            divergence(
                "sup-10",
                "without a positive pair the result was four tensors without a graph: it has every key, and a loss with one",
                cases=("labels_without_a_pair", "batches_of_one_and_of_none", "*@batch-0", "*@batch-1", "*@batch-2"),
                places=('returns["loss"]', 'returns["contrastive_accuracy"]', "returns", "raises", "gradients[*]"),
            ),
            divergence(
                "sup-7-half",
                "in float16 the small constant in the logarithm was 0, and gradients NaN: sums are in float32",
                cases=("float16_at_the_default_temperature", "*@float16"),
                places="gradients[*]",
            ),
            divergence("sup-11", "an unknown mode gave a Python 0.0: a ValueError", cases="an_unknown_mode", places="raises"),
            divergence(
                "sup-13",
                "within modalities of two widths the accuracy failed: it is left out",
                cases="modalities_of_two_widths",
                places="raises",
            ),
        ),
    ),
    Gone("legacy.supervised_contrastive_loss.extract_file_metadata", reason="sup-14: prose about the file; nothing reads it"),
)

"""How the second home of three functions becomes the one in `losses`, and what becomes of two classes with borrowed names.

All branches of the legacy module are reached but those behind the constructor that always fails (cl-1), and the metadata.
"""

from lossport.port import Gone, Port, divergence, drop, number, rename, tensor

RECALLS = tuple(
    number(f"{legacy}_recall@{k}", f"{new}_recall@{k}")
    for k in range(101)
    for legacy, new in (("v2t", "v2t"), ("t2i", "t2v"), ("avg", "avg"))
)
"""Cut-offs are free; nobody asks for more than a hundred."""

VIEWS = (rename("vision_features", "z_a"), rename("text_features", "z_b"))

PORTS = (
    Port(
        legacy="legacy.contrastive_learning.nt_xent_loss",
        new="losses.nt_xent_loss",
        parameters=VIEWS,
        divergences=(
            divergence(
                "cl-empty",
                "the mean over no rows was NaN: it is 0",
                cases=("empty_batches", "*@batch-0"),
                places=("returns", 'returns["*"]'),
            ),
        ),
    ),
    Port(
        legacy="legacy.contrastive_learning.supervised_contrastive_loss",
        new="losses.supervised_contrastive_loss",
        parameters=VIEWS,
        divergences=(
            divergence(
                "cl-9",
                "the plain exponential overflowed for long features, and masks multiplied infinities: a log-sum-exp overflows "
                "later, and masked entries do not count",
                cases=("supervised_of_long_features", "supervised_*@float16", "supervised_*@scale-1e4", "supervised_*@inf"),
                places=("returns", "gradients[*]"),
            ),
            divergence("cl-10", "any unknown reduction meant none: a ValueError", cases="an_unknown_reduction", places="raises"),
        ),
    ),
    Port(
        legacy="legacy.contrastive_learning.compute_recall_at_k",
        new="losses.recall_at_k",
        parameters=(
            rename("similarity", "logits"),
            rename("K", "ks"),
            rename("v2t_targets", "row_targets"),
            rename("t2i_targets", "column_targets"),
        ),
        returns=RECALLS,
        divergences=(
            divergence(
                "cl-13",
                "columns past the rows were left out in one direction: matrices that are not square are refused",
                cases="recall_of_a_wide_matrix",
                places="raises",
            ),
        ),
    ),
    Port(
        legacy="legacy.contrastive_learning.DecoupledContrastiveLoss",
        new="losses.AllPairsLoss",
        parameters=(drop("reduction", reason="cl-4: stored, never read"),),
        returns=(
            tensor("loss"),
            number("cross_modal_loss"),
            number("instance_loss"),
            number("v2t_loss"),
            number("t2v_loss"),
            number("vision_inst_loss"),
            number("text_inst_loss"),
            number("v2t_accuracy"),
            number("t2v_accuracy"),
            number("accuracy"),
        ),
        divergences=(
            divergence(
                "cl-3",
                "without two rows of one id the loss was a constant 0: the paired rows are contrasted, and the loss has a graph",
                cases=(
                    "decoupled_unique_ids",
                    "decoupled_edges",
                    "decoupled_*@batch-0",
                    "decoupled_*@batch-1",
                    "decoupled_*@batch-2",
                ),
                places=('returns["*loss"]', 'values of returns["loss"]', "returns", "gradients[*]"),
            ),
            divergence(
                "cl-7", "row counts were never checked: a ValueError", cases="decoupled_rows_that_differ", places="raises"
            ),
        ),
    ),
    Gone(
        "legacy.contrastive_learning.MultiModalMixedContrastiveLoss",
        reason="cl-1: it can't be built (NameError); losses.MixedContrastiveLoss replaces the class of that name that can",
    ),
    Gone("legacy.contrastive_learning.extract_file_metadata", reason="prose about the file; nothing reads it"),
)

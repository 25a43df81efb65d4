"""The decorrelation penalty -> losses.DecorrelationLoss.

Branches of the legacy module that no case reaches: one row or none in the covariance helper, which forward does not call then.
"""

from lossport.port import Gone, Port, divergence, drop, number, rename, tensor

STATISTICS = ("min_var", "max_var", "mean_var", "low_var_dims", "low_var_pct")
PARTS = ("decorrelation_loss", "vision_decorrelation_loss", "text_decorrelation_loss", "generic_decorrelation_loss")

PORTS = (
    Port(
        legacy="legacy.decorrelation_loss.DecorrelationLoss",
        new="losses.DecorrelationLoss",
        parameters=(
            rename("normalize_embeddings", "normalize"),
            drop("epsilon", reason="decor-5: stored, never used"),
        ),
        attributes=(drop("min_variance_threshold", reason="decor-6: a constant of the module, losses.vicreg.COLLAPSED"),),
        returns=(
            tensor("loss"),
            *(number(name) for name in PARTS),
            *(
                number(f"feature_stats.{prefix}_{name}", f"{prefix}_{name}")
                for prefix in ("vision", "text", "feature")
                for name in STATISTICS
            ),
        ),
        divergences=(
            divergence(
                "decor-1",
                "a reduction other than mean or sum failed in the first call: it is refused when the loss is built",
                cases="no_reduction*",
                places=("raises", "instances"),
            ),
            divergence(
                "decor-2",
                "the mean over no pairs of columns was 0 / 0: it is 0",
                cases=("one_column", "*@dim-1"),
                places=('returns["*"]', "returns", "returns[?]", "gradients[*]"),
            ),
            divergence(
                "decor-3",
                "the part of fewer than two rows had no graph, was float32 and came without statistics: it can be differentiated "
                "in the precision of the features, and columns without rows have variance 0",
                cases=("one_row", "no_rows", "*@batch-0", "*@batch-1"),
                places=('returns["*"]', "returns", "raises", "gradients[*]"),
            ),
            divergence(
                "decor-3-nan",
                "the constant zero of one row hid features that are not finite: the loss is NaN",
                cases=("one_row*@nan", "one_row*@inf", "one_row_of_two_inputs_not_finite"),
                places=('*returns["loss"]', '*returns["*decorrelation_loss"]'),
            ),
            divergence(
                "decor-3-beside",
                "an input of one row beside a longer one got no gradient: it gets a zero, and counts in the mean as before",
                cases="one_row_of_two_inputs*",
                places="gradients[*]",
            ),
            divergence(
                "decor-4",
                "without any input a lone zero came back: a ValueError says what is expected",
                cases="nothing_given",
                places="raises",
            ),
        ),
    ),
    Gone("legacy.decorrelation_loss.extract_file_metadata", reason="decor-10: it only raises NameError"),
)

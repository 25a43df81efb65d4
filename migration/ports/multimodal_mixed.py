"""How the mixture of three contrastive losses becomes `losses.MixedContrastiveLoss`.

Branches of the legacy module that no case reaches: the move of the heads to another device (a CPU has no second one), the
defaults of a private method that is never called without arguments, and the metadata.
"""

from lossport.port import Gone, Port, divergence, number, tensor

PORTS = (
    Port(
        legacy="legacy.multimodal_mixed_contrastive_loss.MultiModalMixedContrastiveLoss",
        new="losses.MixedContrastiveLoss",
        returns=(
            tensor("loss"),
            tensor("loss_infonce"),
            tensor("loss_nt_xent"),
            tensor("loss_supervised"),
            tensor("v2t_accuracy"),
            tensor("t2v_accuracy"),
            tensor("accuracy"),
            *(
                number(f"recalls.{legacy}_recall@{k}", f"{new}_recall@{k}")
                for k in (1, 5, 10)
                for legacy, new in (("v2t", "v2t"), ("t2i", "t2v"), ("avg", "avg"))
            ),
        ),
        divergences=(
            divergence(
                "mix-4",
                "the parts were returned with their graph: they are detached",
                cases="whole_results",
                places=('returns["loss_*"]', 'gradients[* of returns["loss_*"]]'),
            ),
            divergence(
                "mix-5",
                "a missing weight was found after all was computed: it is found at construction",
                cases="a_weight_is_missing",
                places="instances",
            ),
            divergence(
                "mix-6",
                "a part of weight 0 could make the sum NaN, and the supervised part overflowed at low temperature: such a part "
                "is left out, and no part overflows",
                cases="a_part_that_overflowed",
                places=('returns["loss*"]', "gradients[*]"),
            ),
            divergence(
                "mix-6-all",
                "with no weight at all a part that is no number made the loss NaN: it is 0",
                cases=("no_weight_at_all@inf", "no_weight_at_all@nan"),
                places=("returns", "gradients[*]"),
            ),
            divergence(
                "mix-7",
                "reduction none failed for more than one row, or gave both views: it gives one loss a pair",
                cases=("reduction_none", "one_row_without_reduction"),
                places=("raises", 'returns["loss*"]', "gradients[*]"),
            ),
            divergence(
                "mix-10",
                "tensors of floats were compared as printed with four decimals: they are compared by value",
                cases="ids_that_differ_in_the_fifth_decimal",
                places=('returns["*"]', 'values of returns["loss_infonce"]', "gradients[*]"),
            ),
            divergence(
                "mix-12",
                "an empty batch returned the loss alone, without a graph: it returns every key and can be differentiated",
                cases=("an_empty_batch", "*@batch-0"),
                places=('returns["*"]', "returns", "raises", "gradients[*]"),
            ),
            divergence(
                "mix-ties",
                "which of equal logits, or of NaN, are among the k largest: torch.topk leaves it open, earlier columns are",
                cases=("*@nan", "*@inf"),
                places=('returns["*_recall@*"]', "returns[?]"),
            ),
            divergence(
                "mix-half",
                "half precision is computed in float32 and the loss returned in float32, closer to float64",
                cases=(
                    "*@float16",
                    "*@bfloat16",
                    "heads_*@autocast",
                    "heads_in_training_and_evaluation@float16",
                    "noise_in_half_precision",
                ),
                places=("returns", "returns[?]"),
            ),
            divergence(
                "mix-half-noise",
                "the noise is drawn for float32 logits, where it was drawn for logits in half precision, which float16 under "
                "autocast has none of",
                cases=("noise_in_half_precision", "noise_*@float16", "noise_*@bfloat16", "noise_*@autocast"),
                places=("gradients[*]", "random.torch", "raises"),
            ),
            divergence(
                "mix-14",
                "weights were held by reference, so that the caller could change them later: they are copied",
                cases="weights_that_the_caller_changes",
                places=("returns", "gradients[*]", 'attributes[loss_weights]["infonce"]'),
            ),
            divergence(
                "mix-14-more",
                "weights of no part were kept and never read: only those of the three parts are",
                cases="weights_of_one_part",
                places='attributes[*loss_weights]["more"]',
            ),
            divergence(
                "mix-heads",
                "heads without a width had an assertion: a ValueError names the option",
                cases="heads_without_a_width",
                places="raises",
            ),
        ),
    ),
    Gone("legacy.multimodal_mixed_contrastive_loss.extract_file_metadata", reason="prose about the file; nothing reads it"),
)

"""How the InfoNCE loss with its stores, and the three functions beside it, become `losses.InfoNCELoss` and functions.

Branches of the legacy module that no case reaches: the move of the heads to another device (a CPU has no second one), and an
update of the table without indices (their maximum has failed before).
"""

from lossport.port import Gone, Port, divergence, drop, number, rename, tensor

RECALLS = tuple(
    number(f"{legacy}_recall@{k}", f"{new}_recall@{k}")
    for k in range(101)
    for legacy, new in (("v2t", "v2t"), ("t2i", "t2v"), ("avg", "avg"))
)
"""Cut-offs are free; nobody asks for more than a hundred."""

PORTS = (
    Port(
        legacy="legacy.contrastive_loss.ContrastiveLoss",
        new="losses.InfoNCELoss",
        returns=(
            tensor("loss"),
            number("loss_v2t", "v2t_loss"),
            number("loss_t2v", "t2v_loss"),
            number("v2t_accuracy"),
            number("t2v_accuracy"),
            number("accuracy"),
            *(
                number(f"recalls.{legacy}_recall@{k}", f"{new}_recall@{k}")
                for k in (1, 5, 10)
                for legacy, new in (("v2t", "v2t"), ("t2i", "t2v"), ("avg", "avg"))
            ),
        ),
        state=(
            rename("global_vision_embeddings", "vision_bank"),
            rename("global_text_embeddings", "text_bank"),
            drop("global_indices", reason="con-16: a row's index is its place; which rows are written is a mask now"),
            drop("global_size", reason="con-16: it counted rows that were never written"),
            drop("global_initialized", reason="con-16: the mask of written rows says it"),
        ),
        divergences=(
            divergence(
                "con-1",
                "the bank never filled: it is written on every training call, an empty one adds no candidates",
                cases="bank_in_training",
                places=('returns["*loss"]', "gradients[*]", "state[*]"),
            ),
            divergence(
                "con-2",
                "the table never filled: it is written on every training call that gives indices",
                cases="table_in_training",
                places=('returns["*loss"]', "gradients[*]", "state[*]"),
            ),
            divergence(
                "con-3",
                "the bank was written in place before the backward pass, which then failed: logits are of a copy",
                cases=("bank_filled_by_hand_then_trained", "table_filled_by_hand_then_trained"),
                places="gradients[*]",
            ),
            divergence(
                "con-width",
                "a bank of another width than the features stayed empty without a word, as nothing was ever stored: a ValueError",
                cases="table_and_bank_of_a_width_that_is_not_given",
                places="raises",
            ),
            divergence(
                "con-bank",
                "a batch longer than the bank failed half-way: its last rows stay",
                cases=("bank_shorter_than_what_is_left_of_a_batch", "bank_*@batch-7"),
                places="raises",
            ),
            divergence(
                "con-no-bank",
                "a bank without rows was built, and never filled: a ValueError",
                cases="a_bank_without_rows",
                places="raises",
            ),
            divergence(
                "con-5",
                "heads are on by default and had an assertion for the missing width: a ValueError names the option",
                cases="default_arguments",
                places="raises",
            ),
            divergence(
                "con-8",
                "width 768 on both sides switched the heads off for good: add_projection is obeyed",
                cases="heads_of_width_768",
                places=('returns["*"]', "gradients[*]", "attributes[add_projection]"),
            ),
            divergence(
                "con-9",
                "heads of another width were replaced by fresh ones that no optimizer knows: a ValueError",
                cases=("heads_and_wider_features", "heads_that_do_not_end_in_a_linear_layer", "heads_*@dim-*"),
                places="raises",
            ),
            divergence(
                "con-10",
                "any RuntimeError of the heads was swallowed and raw features were used: it is raised",
                cases="float64_features_and_float32_heads",
                places="raises",
            ),
            divergence(
                "con-11",
                "heads from 768 to another width were replaced by single layers: they are kept",
                cases="projecting_width_768",
                places=("returns[*]", "gradients[*]", "state[*]", "random.torch"),
            ),
            divergence(
                "con-12",
                "reduction none failed for more than one row: it gives one loss a pair",
                cases="reduction_none",
                places="raises",
            ),
            divergence(
                "con-12-views",
                "reduction none gave the losses of both views of one row: it gives one loss a pair",
                cases="nt_xent_of_one_row_without_reduction",
                places='returns["loss"]',
            ),
            divergence(
                "con-13",
                "tensors of floats were compared as printed with four decimals: they are compared by value",
                cases="ids_that_differ_in_the_fifth_decimal",
                places=('returns["*"]', "gradients[*]"),
            ),
            divergence(
                "con-14",
                "the plain exponential overflowed at low temperature: a log-sum-exp does not",
                cases=("supervised_at_a_low_temperature", "supervised_*@float16", "supervised_*@scale-1e4"),
                places=("returns", 'returns["loss"]', "gradients[*]"),
            ),
            divergence(
                "con-16",
                "rows that were never written matched index 0 and stood as candidates, a sample without a row got a wrong "
                "target, and indices outside the table were skipped: written rows alone count, a sample without a row is "
                "compared within the batch, an index outside and rows of another width than the table's are refused",
                cases=(
                    "table_with_samples_that_have_no_row",
                    "table_and_an_index_outside",
                    "table_filled_by_hand*@batch-1",
                    "table_filled_by_hand*@batch-2",
                    "table_filled_by_hand*@batch-7",
                    "table_behind_heads@batch-1",
                    "table_behind_heads@batch-2",
                    "table_behind_heads@dim-1",
                ),
                places=('returns["*loss"]', "gradients[*]", "raises", "state[*]"),
            ),
            divergence(
                "con-16-mask", "which rows are written is a mask of its own", cases="table_*", places="state[bank_written]"
            ),
            divergence(
                "con-16-choice",
                "Python's generator chose among the rows of an index, of which there is one",
                cases=("table_filled_by_hand", "table_with_samples_that_have_no_row"),
                places="random.python",
            ),
            divergence(
                "con-positions",
                "floats were taken as positions in the table where they are whole: a ValueError",
                cases="table_and_positions_in_floats",
                places="raises",
            ),
            divergence(
                "con-18",
                "an empty batch returned the loss alone, without a graph: it returns every key and can be differentiated",
                cases=("an_empty_batch", "*@batch-0"),
                places=('returns["*"]', "returns", "raises", "gradients[*]"),
            ),
            divergence(
                "con-ties",
                "which of equal logits, or of NaN, are among the k largest: torch.topk leaves it open, earlier columns are",
                cases=("*@dim-1", "*@zero-row", "*@repeated-row", "*@expanded", "*@nan", "*@inf"),
                places=('returns["*_recall@*"]', "returns[?]"),
            ),
            divergence(
                "con-half",
                "half precision is computed in float32 and the loss returned in float32, closer to float64",
                cases=("*@float16", "*@bfloat16", "heads_*@autocast", "noise_in_half_precision"),
                places=("returns", 'returns["loss"]', "returns[?]"),
            ),
            divergence(
                "con-half-noise",
                "the noise is drawn for float32 logits, where it was drawn for logits in half precision",
                cases=("noise_in_half_precision", "noise_*@float16", "noise_*@bfloat16", "noise_*@autocast"),
                places=('returns["*"]', "gradients[*]", "random.torch"),
            ),
            divergence(
                "con-half-tiny",
                "rows of float16 shorter than its eps, 0.001, are not scaled to length 1: their gradient, of order 1 / length, "
                "has to fit into float16",
                cases=("tiny_rows_in_half_precision", "noise_in_half_precision@scale-1e-6"),
                places=('values of returns["*"]', 'returns["*"]', "gradients[*]"),
            ),
            divergence(
                "con-20",
                "unknown loss types and strategies were taken for the default: a ValueError",
                cases=("an_unknown_loss_type", "an_unknown_strategy"),
                places="raises",
            ),
        ),
    ),
    Port(
        legacy="legacy.contrastive_loss.nt_xent_loss",
        new="losses.nt_xent_loss",
        parameters=(rename("vision_features", "z_a"), rename("text_features", "z_b")),
        divergences=(
            divergence(
                "con-empty",
                "the mean over no rows was NaN: it is 0",
                cases=("nt_xent_function_without_rows", "*_function@batch-0"),
                places=("returns", 'returns["*"]', "returns[?]", "gradients[*]"),
            ),
            divergence(
                "con-widths",
                "views of two widths failed in torch, as a RuntimeError: a ValueError tells both",
                cases="nt_xent_function_of_two_widths",
                places="raises",
            ),
        ),
    ),
    Port(
        legacy="legacy.contrastive_loss.supervised_contrastive_loss",
        new="losses.supervised_contrastive_loss",
        parameters=(rename("vision_features", "z_a"), rename("text_features", "z_b")),
        divergences=(
            divergence(
                "con-widths-labels",
                "views of two widths failed in torch, as a RuntimeError: a ValueError tells both",
                cases="supervised_function_of_two_widths",
                places="raises",
            ),
            divergence(
                "con-any-reduction",
                'any unknown reduction was taken for "none": a ValueError',
                cases="supervised_function_without_a_reduction",
                places="raises",
            ),
        ),
    ),
    Port(
        legacy="legacy.contrastive_loss.compute_recall_at_k",
        new="losses.recall_at_k",
        parameters=(
            rename("similarity", "logits"),
            rename("K", "ks"),
            rename("v2t_targets", "row_targets"),
            rename("t2i_targets", "column_targets"),
        ),
        returns=RECALLS,
    ),
    Gone("legacy.contrastive_loss.extract_file_metadata", reason="prose about the file; nothing reads it"),
)

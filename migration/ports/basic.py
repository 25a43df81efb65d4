"""How cross entropy and squared error with row weights become losses that return dictionaries, as all others do.

All branches of the legacy module are reached but the metadata.
"""

from lossport.port import Gone, Port, divergence, rename, tensor

LOSS = (tensor("", "loss"),)

WRONG_USE = "wrong shapes, dtypes and options raise ValueError with what was found and expected, where the legacy loss raises"

PORTS = (
    Port(
        legacy="legacy.losses.CrossEntropyLoss",
        new="losses.LabelSmoothingCrossEntropy",
        returns=LOSS,
        divergences=(
            divergence(
                "losses-1",
                "class weights were ignored whenever targets are smoothed, which is the default: they count",
                cases="class_weights_and_smoothing*",
                places=("returns*", "gradients[*]"),
            ),
            divergence(
                "losses-3",
                "with smoothing a target of -100 was refused: its loss is 0, and the mean counts its row",
                cases="ignored_targets_and_smoothing*",
                places="raises",
            ),
            divergence(
                "losses-4",
                "smoothed, the classes were the last axis, otherwise the second: they are the second",
                cases="classes_on_the_last_axis*",
                places=("returns*", "gradients[*]", "raises"),
            ),
            divergence(
                "losses-7",
                "sample weights of another shape were spread over all pairs of rows: there is one a row",
                cases="a_column_of_sample_weights*",
                places="raises",
            ),
            divergence(
                "losses-9",
                "the class weights were a plain attribute, which did not move with the module: they are a buffer, not saved",
                cases="*",
                places=("state[*weight]", "attributes[*weight]"),
            ),
            divergence(
                "losses-10-cross-entropy",
                "an unknown reduction meant none: a ValueError",
                cases="an_unknown_reduction_of_cross_entropy*",
                places="raises",
            ),
            divergence(
                "losses-empty",
                "the mean over no rows was NaN: it is 0",
                cases=("no_rows*", "*@batch-0"),
                places=("returns*", "gradients[*]"),
            ),
            divergence(
                "losses-half",
                "half precision is computed in float32 and the loss returned in float32; gradients keep the dtype of the logits",
                cases=("*@float16", "*@bfloat16", "class_weights_without_smoothing@float16"),  # the last is always run
                places="returns*",
            ),
            divergence("losses-wrong-use", f"{WRONG_USE} others late, or computes something", cases="wrong_*", places="raises"),
        ),
    ),
    Port(
        legacy="legacy.losses.MeanSquaredError",
        new="losses.MeanSquaredError",
        parameters=(rename("clip_grad", "max_loss"),),
        attributes=(rename("clip_grad", "max_loss"),),
        returns=LOSS,
        divergences=(
            divergence(
                "losses-6",
                "row weights spread over all pairs of rows in one dimension, along the wrong axis in three: they belong to rows",
                cases="row_weights_in_other_dimensions*",
                places=("returns*", "gradients[*]", "raises"),
            ),
            divergence(
                "losses-8",
                "predictions and targets of two shapes were spread over each other: a ValueError",
                cases="targets_of_another_shape*",
                places="raises",
            ),
            divergence(
                "losses-10-squared-error",
                "an unknown reduction meant none: a ValueError",
                cases="an_unknown_reduction_of_squared_error*",
                places="raises",
            ),
        ),
    ),
    Gone("legacy.losses.extract_file_metadata", reason="init-7: prose about the file; nothing reads it"),
)

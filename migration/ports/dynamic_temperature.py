"""DynamicTemperatureContrastiveLoss -> DynamicTemperatureLoss: a temperature taken from the batch."""

from lossport.port import Gone, Port, divergence, drop, number, rename, tensor

OPTIONS = (
    rename("base_temperature", "temperature"),
    rename("min_temp", "min_temperature"),
    rename("max_temp", "max_temperature"),
)
UNUSED = drop("dim", reason="dyn-6: stored, never used")

PORTS = (
    Port(
        legacy="legacy.dynamic_temperature_contrastive_loss.DynamicTemperatureContrastiveLoss",
        new="losses.DynamicTemperatureLoss",
        parameters=(*OPTIONS, UNUSED),
        attributes=(*OPTIONS, UNUSED),
        returns=(
            tensor("loss"),
            number("temperature"),
            number("pos_similarity"),
            number("neg_similarity"),
            number("v2t_loss"),
            number("t2v_loss"),
        ),
        divergences=(
            divergence(
                "dyn-5",
                "the legacy loss takes the batch size from the ids, one id for any number of rows; the new one wants one a row",
                cases=("one_id_for_all_rows*", "wrong_number_of_ids*"),
                places="raises",
            ),
            divergence(
                "dyn-7",
                "without any positive pair the legacy loss returns a zero alone, without a graph; the new one has all keys, and "
                "its zero can be differentiated",
                cases=("no_pairs*", "empty_batch*", "*@batch-0"),
                places=("returns*", "gradients[*]", "raises"),
            ),
            divergence(
                "dyn-half",
                "the new loss computes half precision, and products under autocast, in float32 and returns the loss in float32",
                cases=("*@float16", "*@bfloat16", "*@autocast"),
                places="returns*",
            ),
            divergence(
                "dyn-wrong-use",
                "wrong shapes and ids raise ValueError with what was found and expected, where the legacy loss raises "
                "IndexError, RuntimeError or TypeError from deep inside",
                cases="wrong_*",
                places="raises",
            ),
        ),
    ),
    Gone(
        "legacy.dynamic_temperature_contrastive_loss.extract_file_metadata",
        reason="dyn-9: prose about the file; nothing reads it",
    ),
)

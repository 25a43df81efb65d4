"""Feature distillation from frozen references -> losses.FeatureConsistencyLoss. Cases reach every branch of the legacy loss."""

from lossport.port import Gone, Port, divergence, number, rename, tensor

NUMBERS = (
    "feature_consistency_loss",
    "vision_consistency_loss",
    "text_consistency_loss",
    "vision_weight",
    "text_weight",
)

PORTS = (
    Port(
        legacy="legacy.feature_consistency_loss.FeatureConsistencyLoss",
        new="losses.FeatureConsistencyLoss",
        parameters=(rename("normalize_features", "normalize"),),
        returns=(tensor("loss"), *(number(name) for name in NUMBERS)),
        divergences=(
            divergence(
                "fcons-1",
                "where neither side could be compared the call failed, or gave a lone zero: it gives a zero with all keys",
                cases=("nothing_*", "neither_*"),
                places=("raises", 'returns["*"]'),
            ),
            divergence(
                "fcons-2",
                "train() woke the references, with their dropout and batch norms: they stay in evaluation mode",
                cases=("references_that_sleep", "references_in_evaluation_from_the_start@state-dict"),
                places=('returns["*"]', "gradients[*]", "attributes[reference_*_model*.training]", "random.torch"),
            ),
            divergence(
                "fcons-2-modes",
                "and so they are where nothing in them tells the modes apart",
                cases=("training_and_evaluation", "*@state-dict"),
                places="attributes[reference_*_model*.training]",
            ),
            divergence(
                "fcons-7",
                "an unknown distance was found when it was first computed: it is refused when the loss is built",
                cases="unknown_distance",
                places="instances",
            ),
            divergence(
                "fcons-8",
                "a reduction other than mean or sum failed in the first call: it is refused when the loss is built",
                cases="no_reduction",
                places=("raises", "instances"),
            ),
            divergence(
                "fcons-9",
                "sequences were normalised and summed along the wrong axis: features are [rows, columns]",
                cases="sequences",
                places="raises",
            ),
            divergence(
                "fcons-10",
                "a side whose shapes differ was left out with a log line: a ValueError shows both shapes",
                cases="shapes_that_differ*",
                places="raises",
            ),
            divergence(
                "fcons-11",
                "a reference without parameters raised StopIteration: it takes its inputs where they are",
                cases="reference_without_parameters",
                places="raises",
            ),
            divergence(
                "fcons-empty",
                "the mean over no rows was NaN: it is 0",
                cases="*@batch-0",
                places=('returns["*"]', "returns", "returns[?]"),
            ),
            divergence(
                "fcons-half",
                "half precision is computed in float32 and the loss returned in float32, closer to float64",
                cases=("*@float16", "*@bfloat16"),
                places=("returns", 'returns["loss"]'),
            ),
        ),
    ),
    Gone("legacy.feature_consistency_loss.extract_file_metadata", reason="fcons-13: it only raises NameError"),
)

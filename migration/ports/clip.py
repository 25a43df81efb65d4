"""CLIPStyleLoss -> CLIPLoss: the symmetric image-text cross entropy."""

from lossport.port import Gone, Port, acknowledge, divergence, drop, number, tensor

MEASURES = (
    "v2t_loss",
    "t2v_loss",
    "v2t_accuracy",
    "t2v_accuracy",
    "accuracy",
    "mean_similarity",
    "matched_similarity",
    "similarity_gap",
)
RECALLS = tuple(f"{side}_recall@{k}" for k in (1, 5, 10) for side in ("v2t", "t2v", "avg"))

PORTS = (
    Port(
        legacy="legacy.clip_style_loss.CLIPStyleLoss",
        new="losses.CLIPLoss",
        parameters=(
            drop("use_hard_negatives", reason="clip-3: stored, never used"),
            drop("hard_negative_weight", reason="clip-3: stored, never used"),
            drop("cache_labels", reason="clip-1: smoothed targets are built from the current targets, so there is no cache"),
        ),
        returns=(
            tensor("loss"),
            *(number(name) for name in MEASURES),
            *(number(f"recalls.{name}", name) for name in RECALLS),
        ),
        divergences=(
            divergence(
                "clip-1",
                "the legacy cache hands the first smoothed targets of a batch size to the other direction and to every later "
                "call; the new loss smooths the current targets",
                cases="smoothing_with_the_cache*",
                places=('returns["*"]', "gradients[*]"),
            ),
            divergence(
                "clip-4",
                "without a reduction the legacy loss raises for more than one row; the new one returns a loss a row, and the "
                "directions as means",
                cases="no_reduction*",
                places="raises",
            ),
            divergence(
                "clip-6",
                "the legacy loss compares float tensors by their printed text, four decimals; the new one compares values",
                cases="ids_that_print_alike*",
                places=('returns["*"]', "gradients[*]"),
            ),
            divergence(
                "clip-12",
                "of an empty batch the legacy loss returns a zero alone, without a graph; the new one has all keys, and its zero "
                "can be differentiated",
                cases=("empty_batch*", "*@batch-0"),
                places=("returns", 'returns["*"]', "raises", "gradients[*]"),
            ),
            divergence(
                "clip-13",
                "an unknown reduction passes for 'none' in the legacy loss when labels are smoothed, and is found late "
                "otherwise; the new loss refuses it when it is built",
                cases="unknown_reduction*",
                places=("raises", "instances"),
            ),
            divergence(
                "clip-ties",
                "which of equal logits, or of NaN, are among the k largest: torch.topk leaves it open, earlier columns are",
                cases=("*@dim-1", "*@zero-row", "*@repeated-row", "*@expanded", "*@nan", "*@inf"),
                places=('returns["*_recall@*"]', "returns[?]"),
            ),
            divergence(
                "clip-half",
                "the new loss computes half precision in float32 and returns the loss in float32, closer to float64; gradients "
                "keep the dtype of the features",
                cases=("*@float16", "*@bfloat16"),
                places=("returns", 'returns["loss"]'),
            ),
            divergence(
                "clip-wrong-use",
                "wrong shapes, ids and options raise ValueError with what was found and expected, where the legacy loss raises "
                "IndexError or RuntimeError from deep inside, or computes something",
                cases="wrong_*",
                places="raises",
            ),
        ),
        acknowledged=(
            acknowledge(
                "examples/experiments/configs/rings.yaml",
                "class: legacy.clip_style_loss.CLIPStyleLoss",
                reason="the loader builds it from temperature and label_smoothing and calls it with features and ids; only "
                'out["loss"] is read',
            ),
        ),
    ),
    Gone("legacy.clip_style_loss.extract_file_metadata", reason="clip-15: prose about the file; nothing reads it"),
)

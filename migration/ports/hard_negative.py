"""HardNegativeMiningContrastiveLoss -> HardNegativeLoss: negatives that weigh more where they are hard."""

from lossport.port import Gone, Port, acknowledge, divergence, drop, number, tensor

UNUSED = drop("dim", reason="hard-9: stored, never used")

PORTS = (
    Port(
        legacy="legacy.hard_negative_mining_contrastive_loss.HardNegativeMiningContrastiveLoss",
        new="losses.HardNegativeLoss",
        parameters=(UNUSED,),
        attributes=(UNUSED,),
        returns=(tensor("loss"), number("v2t_loss"), number("t2v_loss"), number("hard_negative_factor")),
        acknowledged=(
            acknowledge(
                "examples/needs_a_person/options_from_elsewhere.py",
                "HardNegativeMiningContrastiveLoss(**options)",
                reason="options.json beside it holds a temperature and nothing else",
            ),
        ),
        divergences=(
            divergence(
                "hard-1",
                "where no row has negatives the legacy loss fails on a plain number; the new one is a zero that can be "
                "differentiated",
                cases=("no_negatives*", "*@batch-1", "*@batch-2"),
                places="raises",
            ),
            divergence(
                "hard-2",
                "plain exponentials overflow at a low temperature; a log-sum-exp does not",
                cases="low_temperature*",
                places=('returns["*"]', "gradients[*]"),
            ),
            divergence(
                "hard-3",
                "the legacy loss takes the batch size from the ids and leaves out rows, or fails; the new one wants one id a row",
                cases=("fewer_ids_than_rows*", "more_ids_than_rows*"),
                places="raises",
            ),
            divergence(
                "hard-7",
                "an unknown strategy weights nothing, without a word; the new loss refuses it when it is built",
                cases="unknown_strategy*",
                places="raises",
            ),
            divergence(
                "hard-11",
                "without any positive pair the legacy loss returns a zero alone, without a graph; the new one has all keys, and "
                "its zero can be differentiated",
                cases=("no_pairs*", "empty_batch*", "*@batch-0"),
                places=("returns*", "gradients[*]", "raises"),
            ),
            divergence(
                "hard-12",
                "which of equally similar negatives is the hardest: torch.topk leaves it open, the new loss takes the first",
                cases=("hard_*@zero-row", "hard_*@repeated-row"),
                places="gradients[*]",
            ),
            divergence(
                "hard-half",
                "the new loss computes half precision, and products under autocast, in float32 and returns the loss in float32",
                cases=("*@float16", "*@bfloat16", "*@autocast"),
                places=("returns*", "gradients[*]"),
            ),
            divergence(
                "hard-wrong-use",
                "wrong shapes, ids and options raise ValueError with what was found and expected, where the legacy loss raises "
                "IndexError, RuntimeError or TypeError from deep inside, or computes something",
                cases="wrong_*",
                places="raises",
            ),
        ),
    ),
    Gone(
        "legacy.hard_negative_mining_contrastive_loss.extract_file_metadata",
        reason="hard-9: prose about the file; nothing reads it",
    ),
)

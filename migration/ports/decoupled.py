"""DecoupledContrastiveLoss -> DecoupledLoss: a cross-modal term and terms within each modality, weighted apart."""

from lossport.port import Gone, Port, acknowledge, divergence, drop, tensor

PARTS = ("cross_modal_loss", "instance_loss", "v2t_loss", "t2v_loss", "vision_inst_loss", "text_inst_loss")
UNUSED = drop("reduction", reason="dec-3: stored, never used; the new loss obeys it")

PORTS = (
    Port(
        legacy="legacy.decoupled_contrastive_loss.DecoupledContrastiveLoss",
        new="losses.DecoupledLoss",
        parameters=(UNUSED,),
        attributes=(UNUSED,),
        returns=(
            tensor("loss"),
            *(tensor(name) for name in PARTS),
            *(tensor(name) for name in ("v2t_accuracy", "t2v_accuracy", "accuracy")),
        ),
        acknowledged=(
            acknowledge(
                "examples/experiments/configs/rings_decoupled.toml",
                "legacy.decoupled_contrastive_loss.DecoupledContrastiveLoss",
                reason="the loader builds it from a temperature and calls it with features and ids; only the loss is read",
            ),
            acknowledge(
                "examples/needs_a_person/computed_name.py",
                "getattr(module, class_name(",
                reason="it says that the loss has moved once its module is gone",
            ),
        ),
        divergences=(
            divergence(
                "dec-2",
                "plain exponentials overflow at a low temperature; a log-sum-exp does not",
                cases="low_temperature*",
                places=('returns["*"]', 'values of returns["*inst*_loss"]', "gradients[*]"),
            ),
            divergence(
                "dec-4",
                "where all terms are skipped the legacy loss returns plain numbers, and its loss cannot be differentiated; the "
                "new one always returns tensors",
                cases=("one_row", "ids_all_equal", "*@batch-1"),
                places=("returns*", "gradients[*]", "raises"),
            ),
            divergence(
                "dec-4-nan",
                "the constant zero that stood for no negatives hid features that are not finite: the loss is NaN",
                cases=("ids_all_equal@nan", "ids_all_equal@inf", "one_row@nan", "one_row@inf"),
                places="values of returns*",
            ),
            divergence(
                "dec-6",
                "the parts keep their graph, so that whoever collects them keeps every batch in memory; new ones are detached",
                cases=("whole_results", "ids_all_equal"),
                places=tuple(f'{place}["{name}"]*' for name in PARTS for place in ("returns", "gradients[* of returns")),
            ),
            divergence(
                "dec-11",
                "without any positive pair or row the legacy loss returns a zero alone, without a graph; the new one has all "
                "keys, and its zero can be differentiated",
                cases=("no_pairs*", "empty_batch*", "*@batch-0"),
                places=("returns*", "gradients[*]", "raises"),
            ),
            divergence(
                "dec-half",
                "the new loss computes half precision, and products under autocast, in float32 and returns the loss in float32",
                cases=("*@float16", "*@bfloat16", "*@autocast"),
                places=("returns*", "gradients[*]"),
            ),
            divergence(
                "dec-wrong-use",
                "wrong shapes and ids raise ValueError with what was found and expected, where the legacy loss raises "
                "IndexError, RuntimeError or TypeError from deep inside, or computes something",
                cases="wrong_*",
                places="raises",
            ),
        ),
    ),
    Gone("legacy.decoupled_contrastive_loss.extract_file_metadata", reason="dec-13: prose about the file; nothing reads it"),
)

"""How the sum of up to three losses becomes `losses.CombinedLoss`.

What a call returns depends on the parts. Listed are the sum's own entries, and of its parts those that trainings read: accuracies
and the losses of both directions, numbers in legacy losses; a part that was migrated before returns them as tensors, of which
`.item()` is the same number. A call site that reads any other entry stops the migration until it is listed here.

All branches of the legacy module are reached but the metadata.
"""

from lossport.port import Gone, Port, divergence, number, tensor

OF_PARTS = ("accuracy", "v2t_accuracy", "t2v_accuracy", "v2t_loss", "t2v_loss")

PORTS = (
    Port(
        legacy="legacy.combined_loss.CombinedLoss",
        new="losses.CombinedLoss",
        returns=(
            tensor("loss"),
            *(
                number(name)
                for name in ("primary_loss", "secondary_loss", "secondary_weight", "tertiary_loss", "tertiary_weight")
            ),
            *(number(f"{part}{name}") for part in ("", "secondary_", "tertiary_") for name in OF_PARTS),
        ),
        divergences=(
            divergence(
                "comb-1",
                "epochs and steps did not reach the parts: they are passed on",
                cases="a_part_that_counts_epochs*",
                places=('returns["*"]', "gradients[*]", "attributes[*]"),
            ),
            divergence(
                "comb-3",
                "a part that returns a tuple failed, or handed the tuple on as the loss: the first entry counts",
                cases="a_tuple*",
                places=("raises", "returns*", "gradients[*]"),
            ),
            divergence(
                "comb-6",
                "a part without a reduction failed for more than one row: the loss keeps its rows and is reported as its mean",
                cases="losses_of_rows*",
                places=("raises", "returns*", "gradients[*]"),
            ),
            divergence(
                "comb-7",
                "train and eval reached attributes of that name in plain callables: modules have them, callables do not",
                cases="a_callable_that_has_a_mode*",
                places=('returns["*"]', "gradients[*]"),
            ),
            divergence(
                "comb-9",
                "entries of the parts were attached to the graph, and kept it alive: all but the loss are detached",
                cases="entries_with_a_graph*",
                places=('returns["*distance"]', 'gradients[* of returns["*distance"]]'),
            ),
            divergence(
                "comb-numbers",
                "parts that return numbers alone gave a number: the loss is always a tensor",
                cases="numbers_alone*",
                places='returns["loss"]',
            ),
            divergence(
                "comb-texts",
                "entries of the parts that are neither numbers nor tensors were passed on: inner dictionaries are flattened, "
                "numbers become tensors, and texts are left out",
                cases="parts_of_all_kinds*",
                places="returns*",
            ),
        ),
    ),
    Gone("legacy.combined_loss.extract_file_metadata", reason="comb-8: prose about a constructor that does not exist"),
)

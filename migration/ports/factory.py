"""How the simple contrastive loss and the function that builds losses from arguments come over.

What `create_loss_function` returns is one of the new losses: which entries its calls return, the port of that loss says.

Branches of the legacy module that no case reaches: rows without any positive (each row is its own by then), and all that stands
behind the import that always fails (fac-1).
"""

from lossport.port import Drop, Gone, Port, Rename, divergence, drop, number, rename, tensor

FIGURES = (
    "infonce_loss",
    "mse_loss",
    "v2t_loss",
    "t2v_loss",
    "accuracy",
    "pos_sim",
    "neg_sim",
    "separation",
    "temperature",
    "decor_loss",
)

RENAMED = (
    rename("base_temperature", "temperature"),
    rename("min_temp", "min_temperature"),
    rename("max_temp", "max_temperature"),
    rename("normalize_embeddings", "normalize"),
)
DROPPED = tuple(
    drop(name, reason="see the port of the loss that is built")
    for name in (
        *("dim", "initialized", "use_two_buffers", "initial_temperature", "max_temperature", "iteration", "reduction"),
        *("effective_var_coeff", "effective_cov_coeff"),
    )
)
STATE: tuple[Rename | Drop, ...] = (
    rename("global_vision_embeddings", "vision_bank"),
    rename("global_text_embeddings", "text_bank"),
    *(drop(f"global_{name}", reason="con-16: which rows are written is a mask") for name in ("indices", "size", "initialized")),
)
"""What the losses that are built call differently: cases read such names from what the function returns."""

PORTS = (
    Port(
        legacy="legacy.loss_factory.SimpleContrastiveLoss",
        new="losses.SimpleContrastiveLoss",
        attributes=(drop("iteration", reason="sim-8: counted calls for log lines"),),
        returns=(tensor("loss"), *(number(name) for name in FIGURES)),
        divergences=(
            divergence(
                "sim-4",
                "another loss was added only if it was a tensor: numbers are, too",
                cases="simple_with_a_number*",
                places=('returns["loss"]', 'returns["decor_loss"]'),
            ),
            divergence(
                "sim-7",
                "an empty batch raised: its loss is a zero that can be differentiated, with all keys",
                cases=("simple_of_no_rows*", "simple*@batch-0"),
                places="raises",
            ),
            divergence(
                "sim-8",
                "partners were drawn only where not all rows match: they are drawn for every batch, as to look would be to wait "
                "for the device; the partners of such a batch count for nothing",
                cases=("simple_where_all_match*", "simple_of_one_row*", "simple*@batch-1", "simple*@batch-2"),
                places="random.torch",
            ),
            divergence(
                "sim-half",
                "half precision is computed in float32 and the loss returned in float32; gradients keep their dtype",
                cases=("*@float16", "*@bfloat16"),
                places="returns*",
            ),
            divergence(
                "sim-wrong-use",
                "wrong shapes and ids raise ValueError with what was found and expected, where the legacy loss raises from deep "
                "inside, or computes something",
                cases="simple_wrong*",
                places="raises",
            ),
        ),
    ),
    Port(
        legacy="legacy.loss_factory.create_loss_function",
        new="losses.create_loss_function",
        parameters=(drop("train_loader", reason="fac-13: never used"),),
        attributes=RENAMED + DROPPED,
        state=STATE,
        divergences=(
            divergence(
                "fac-1",
                "the pre-training option of vicreg failed on an import path that does not exist: the loss is built",
                cases="vicreg_after_contrast*",
                places="raises",
            ),
            divergence(
                "fac-half",
                "losses over pairs compute products under autocast in float32 and return the loss in float32",
                cases=("decoupled@autocast", "dynamic_temperature@autocast", "hard_negatives@autocast"),
                places="returns*",
            ),
            divergence(
                "fac-2",
                "hard negatives were always mined semi-hard, whatever was chosen: the chosen strategy is used",
                cases="hard_negatives_by_choice*",
                places=("returns*", "gradients[*]", "attributes[*mining_strategy]"),
            ),
            divergence(
                "fac-3",
                "the mixture took its width from an attribute that no command line has: it takes that of all others",
                cases=("mixture", "mixture@*", "mixture_with_heads*"),
                places="raises",
            ),
            divergence(
                "fac-5",
                "an unknown type of loss gave the default one: a ValueError that lists the known ones",
                cases="an_unknown_type*",
                places="raises",
            ),
            divergence(
                "fac-6",
                "a width of 512 became 768 for one spelling of one encoder, and a width of 0 or less as well: the width that is "
                "given counts, and has to be above 0",
                cases=("a_width_that_was_replaced*", "a_width_of_zero*"),
                places=("raises", "state[*_projection.*]", "random.torch"),
            ),
            divergence(
                "fac-none",
                "a sampling strategy of None was handed on, and known to no rule: it is as good as not given",
                cases="contrastive_by_no_name*",
                places=("returns", "attributes[sampling_strategy]", "attributes[temperature]"),
            ),
            divergence(
                "fac-missing",
                "an attribute that is missing raised AttributeError: a ValueError says which type needs it",
                cases="an_argument_that_is_missing*",
                places="raises",
            ),
            divergence(
                "fac-state",
                "a new state of the losses that are built: which rows of the table are written, and the progress of the warm-up",
                cases=("contrastive*", "vicreg*"),
                places=("state[*bank_written]", "state[*_extra_state]"),
            ),
            divergence(
                "fac-10",
                "a temperature of zero failed in a log line of one type alone: a ValueError for every type",
                cases="a_temperature_of_zero*",
                places="raises",
            ),
            divergence(
                "fac-11",
                "the range of the dynamic temperature could lie off the temperature: by default it has it inside",
                cases="dynamic_temperature_off_its_range*",
                places=("returns", "gradients[*]", "attributes[max_temperature]"),
            ),
            divergence(
                "fac-12",
                "a queue of size 0 was taken for one that is not given: a ValueError",
                cases="a_queue_of_size_zero*",
                places="raises",
            ),
        ),
    ),
    Gone("legacy.loss_factory.extract_file_metadata", reason="prose about the file; nothing reads it"),
)

"""VICReg with its warm-up -> losses.VICRegLoss. Every branch of the legacy loss is reached by a case."""

from lossport.port import Gone, Port, divergence, drop, number, tensor

NUMBERS = (
    "invariance_loss",
    "variance_loss",
    "covariance_loss",
    "sim_weight",
    "var_weight",
    "cov_weight",
    "warmup_factor",
)
LAST_CALL = "what the last call weighed; its result says it as {}"

PORTS = (
    Port(
        legacy="legacy.vicreg_loss.VICRegLoss",
        new="losses.VICRegLoss",
        returns=(tensor("loss"), *(number(name) for name in NUMBERS)),
        attributes=(
            drop("effective_var_coeff", reason=LAST_CALL.format("var_weight")),
            drop("effective_cov_coeff", reason=LAST_CALL.format("cov_weight")),
        ),
        divergences=(
            divergence(
                "vicreg-6",
                "fewer than two rows gave NaN: they have no spread, so that both regularisers are 0, and no rows give 0",
                cases=("one_row", "*@batch-0", "*@batch-1"),
                places=('returns["*"]', "returns", "returns[?]", "gradients[*]", "warnings"),
            ),
            divergence(
                "vicreg-7",
                "the progress of the warm-up was lost with a checkpoint: state_dict keeps it, and a run goes on where it stood",
                cases="*@state-dict",
                places=('returns["*"]', "returns", "gradients[*]", "attributes[current_*]", "attributes[total_steps]"),
            ),
            divergence(
                "vicreg-7-state",
                "an entry of state_dict for it, which a checkpoint of the legacy loss lacks: load that one with strict=False",
                cases="*",
                places="state[_extra_state]",
            ),
            divergence(
                "vicreg-8",
                "shapes that broadcast gave NaN or failed deep inside: a ValueError says what was found and expected",
                cases="shapes_*",
                places="raises",
            ),
            divergence(
                "vicreg-9",
                "a negative epoch failed as a complex number in the next call: it is refused when it is told",
                cases="negative_epoch",
                places=("raises", "attributes[current_epoch]"),
            ),
            divergence(
                "vicreg-overflow",
                "in float16 the sum of 360,000 squares left the range: it is taken in float32",
                cases="more_features_than_rows@float16",
                places='returns["covariance_loss"]',
            ),
            divergence(
                "vicreg-half",
                "half precision is computed in float32 and the loss returned in float32, closer to float64",
                cases=("*@float16", "*@bfloat16"),
                places=("returns", 'returns["loss"]'),
            ),
        ),
    ),
    Gone("legacy.vicreg_loss.extract_file_metadata", reason="vicreg-10: prose about a constructor that does not exist"),
)

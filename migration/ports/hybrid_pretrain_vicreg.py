"""The schedule from contrast to VICReg -> losses.HybridPretrainVICRegLoss.

Branches of the legacy module that no case reaches: the note that VICReg starts although no transition was completed, which takes
attributes set by hand that are gone.
"""

from lossport.port import Gone, Port, divergence, drop, gone_key, number, tensor

NUMBERS = (
    "pretrain_progress",
    "transition_progress",
    "contrastive_weight",
    "vicreg_weight",
    "contrastive_loss",
    "vicreg_loss",
    "accuracy",
    "diagonal_similarity",
    "mean_similarity",
    "alignment_gap",
    "alignment_snr",
    "temperature",
    "invariance_loss",
    "variance_loss",
    "covariance_loss",
    "sim_weight",
    "var_weight",
    "cov_weight",
    "warmup_factor",
)
PHASE = "hybrid-8: current_phase says it"

PORTS = (
    Port(
        legacy="legacy.hybrid_pretrain_vicreg_loss.HybridPretrainVICRegLoss",
        new="losses.HybridPretrainVICRegLoss",
        returns=(
            tensor("loss"),
            gone_key("current_phase", reason="a result holds tensors alone; read the attribute current_phase of the loss"),
            *(number(name) for name in NUMBERS),
        ),
        attributes=(
            drop("in_pretrain_phase", reason=PHASE),
            drop("early_transition", reason=PHASE),
            drop("transition_complete", reason=PHASE),
            drop("min_diag_similarity", reason="hybrid-12: never changed"),
            drop("mean_similarity", reason="that of the last batch, which its result says"),
            drop("alignment_snr", reason="that of the last batch, which its result says"),
            drop("alignment_history", reason="hybrid-11: grew without limit; log what a call returns"),
        ),
        divergences=(
            divergence(
                "hybrid-keys",
                "the keys changed with the phase: all phases have the same, those of a part that is not computed are 0",
                cases="whole_results_*",
                places=(
                    'returns["pretrain_progress"]',
                    'returns["contrastive_*"]',
                    'returns["vicreg_*"]',
                    'returns["accuracy"]',
                    'returns["temperature"]',
                    'returns["warmup_factor"]',
                ),
            ),
            divergence(
                "hybrid-3",
                "a text head of another width was of no use, as features of two widths cannot be compared: one width is expected",
                cases="widths_that_differ",
                places="raises",
            ),
            divergence(
                "hybrid-4",
                "features of a width that was not declared made new heads, unknown to any optimizer: a ValueError",
                cases=("width_not_declared", "*@dim-?"),
                places="raises",
            ),
            divergence(
                "hybrid-5",
                "float64 features left the float32 heads out without a word: the error of the heads comes through",
                cases="doubles_behind_single_heads",
                places="raises",
            ),
            divergence(
                "hybrid-6",
                "the reported temperature was 0.07 whatever it was: it is the one in use",
                cases="temperature_reported*",
                places="returns",
            ),
            divergence(
                "hybrid-8",
                "the attribute current_phase stayed at the first phase during the blend: it says transition",
                cases=("blend_*", "*_of_the_blend", "whole_results_of_contrast@steps"),
                places="attributes[current_phase]",
            ),
            divergence(
                "hybrid-9",
                "the blend left the range from 0 to 1 when steps went back: it stays inside",
                cases=("blend_in_which_steps_go_back", "blend_when_aligned@steps", "*_of_the_blend@steps"),
                places=("returns", 'returns["*"]', "gradients[*]", "attributes[transition_progress]"),
            ),
            divergence(
                "hybrid-10",
                "a blend of 0 steps divided by zero: it switches at once",
                cases="blend_of_no_steps",
                places="raises",
            ),
            divergence(
                "hybrid-11",
                "the schedule was lost with a checkpoint: state_dict keeps it, and a run goes on where it stood",
                cases="*@state-dict",
                places=("returns", "returns[?]", 'returns["*"]', "gradients[*]", "attributes[*]", "random.torch"),
            ),
            divergence(
                "hybrid-11-state",
                "entries of state_dict for it, which a checkpoint of the legacy loss lacks: load that one with strict=False",
                cases="*",
                places=("state[_extra_state]", "state[vicreg_loss._extra_state]"),
            ),
            divergence(
                "hybrid-13",
                "fewer than two rows gave NaN: a single cosine deviates by 0, and VICReg of one row is 0",
                cases=("one_row", "*@batch-0", "*@batch-1"),
                places=("returns", "returns[?]", 'returns["*"]', "gradients[*]", "attributes[*]", "warnings", "raises"),
            ),
            divergence(
                "hybrid-14",
                "figures were taken of a batch that then failed: they are those of the last one that did not",
                cases="rows_that_differ",
                places=("raises", "attributes[*]"),
            ),
            divergence(
                "hybrid-16",
                "features of 768 columns switched the heads off for good: heads are heads",
                cases="width_of_base_models",
                places=("returns", "gradients[*]"),
            ),
            divergence(
                "hybrid-half",
                "half precision is computed in float32 and the loss returned in float32, closer to float64",
                cases=("*@float16", "*@bfloat16", "*@autocast"),
                places=("returns", 'returns["loss"]'),
            ),
        ),
    ),
    Gone("legacy.hybrid_pretrain_vicreg_loss.extract_file_metadata", reason="prose about the file; nothing reads it"),
)

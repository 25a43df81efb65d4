"""Call sites of the schedule from contrast to VICReg, one a behaviour."""

from legacy.hybrid_pretrain_vicreg_loss import HybridPretrainVICRegLoss
from lossport.inputs import Inputs


def contrast_first(inputs: Inputs):
    """The first phase: heads, although all widths are equal, and targets on the diagonal."""
    criterion = HybridPretrainVICRegLoss(fusion_dim=6, vision_dim=6, text_dim=6)
    for _ in range(2):
        z_a, z_b = inputs.paired(batch=8, dim=6)
        out = criterion(z_a, z_b)
        yield out["loss"]
        yield out["accuracy"], out["contrastive_loss"], out["pretrain_progress"]


def contrast_with_ids(inputs: Inputs):
    """A random positive each; other keywords were ignored, and are not given."""
    criterion = HybridPretrainVICRegLoss(temperature=0.2, fusion_dim=3, vision_dim=6, text_dim=6)
    for _ in range(2):
        z_a, z_b = inputs.paired(batch=8, dim=6)
        out = criterion(z_a, z_b, match_ids=inputs.ids(8, groups=3))
        yield out["loss"]
        yield out["accuracy"], out["diagonal_similarity"], out["mean_similarity"], out["alignment_gap"], out["alignment_snr"]


def whole_results_of_contrast(inputs: Inputs):
    """Everything that the first phase returns."""
    criterion = HybridPretrainVICRegLoss(fusion_dim=6, vision_dim=6, text_dim=6)
    criterion.update_epoch(3)
    criterion.update_step(30, 1000)
    z_a, z_b = inputs.paired(batch=8, dim=6)
    yield criterion(z_a, z_b)


def switch_at_a_step(inputs: Inputs):
    """Without adaptation the change is abrupt; epochs reach the inner VICReg."""
    criterion = HybridPretrainVICRegLoss(
        adaptive_transition=False, contrastive_pretrain_steps=2, fusion_dim=5, vision_dim=5, text_dim=5, warmup_epochs=3
    )
    for step in range(4):
        criterion.update_step(step, 4)
        criterion.update_epoch(step)
        z_a, z_b = inputs.paired(batch=7, dim=5)
        out = criterion(z_a, z_b)
        yield out["loss"]
        yield out["transition_progress"], out["var_weight"], out["cov_weight"], out["sim_weight"]


def whole_results_of_vicreg(inputs: Inputs):
    """Everything that the last phase returns; the heads get no gradient."""
    criterion = HybridPretrainVICRegLoss(
        25, 10, 1, 1e-3, 5, False, 10, 2, 0.1, False, 0.3, 10, 4, 5, 5
    )  # fmt: skip
    criterion.update_step(2, 10)
    z_a, z_b = inputs.paired(batch=7, dim=5)
    yield criterion(z_a, z_b)


def blend_when_aligned(inputs: Inputs):
    """A batch that is aligned starts the transition, which ends after its steps."""
    criterion = HybridPretrainVICRegLoss(
        gradual_transition_steps=4, min_alignment_threshold=0.3, fusion_dim=5, vision_dim=5, text_dim=5
    )
    for step in range(6):
        criterion.update_step(step, 6)
        z_a, z_b = inputs.paired(batch=6, dim=5, shared=0.9)
        out = criterion(z_a, z_b, match_ids=inputs.ids(6, groups=3))
        yield out["loss"]
        yield out["transition_progress"], out["alignment_gap"]


def whole_results_of_the_blend(inputs: Inputs):
    """Everything that the transition returns."""
    criterion = HybridPretrainVICRegLoss(
        gradual_transition_steps=4, min_alignment_threshold=-2.0, fusion_dim=5, vision_dim=5, text_dim=5
    )
    for step in (10, 11, 30):
        criterion.update_step(step, 100)
        z_a, z_b = inputs.paired(batch=8, dim=5)
        yield criterion(z_a, z_b)


def aligned_by_the_threshold_and_no_more(inputs: Inputs):
    """A gap that is the threshold starts nothing."""
    criterion = HybridPretrainVICRegLoss(fusion_dim=4, vision_dim=4, text_dim=4)
    for step in range(2):
        z_a, z_b = inputs.paired(batch=6, dim=4)
        yield criterion(z_a, z_b)["loss"]
        criterion.min_alignment_threshold = criterion.alignment_gap
        criterion.update_step(step, 10)


def never_aligned(inputs: Inputs):
    """With adaptation the step limit ends nothing."""
    criterion = HybridPretrainVICRegLoss(
        contrastive_pretrain_steps=10, min_alignment_threshold=2.0, fusion_dim=4, vision_dim=4, text_dim=4
    )
    for step in (5, 50):
        criterion.update_step(step, 100)
        z_a, z_b = inputs.paired(batch=6, dim=4)
        out = criterion(z_a, z_b)
        yield out["loss"]
        yield out["pretrain_progress"], out["transition_progress"]


def warm_up_by_default(inputs: Inputs):
    """The inner VICReg counts epochs, and steps of the run, against its own defaults."""
    criterion = HybridPretrainVICRegLoss(
        adaptive_transition=False, contrastive_pretrain_steps=1, fusion_dim=4, vision_dim=4, text_dim=4
    )
    criterion.update_epoch(2)
    for step in (400, 600):
        criterion.update_step(step, 30000)
        z_a, z_b = inputs.paired(batch=6, dim=4)
        out = criterion(z_a, z_b)
        yield out["loss"]
        yield out["var_weight"], out["cov_weight"]


def heads_of_the_default_width(inputs: Inputs):
    """512 columns are compared."""
    criterion = HybridPretrainVICRegLoss(vision_dim=4, text_dim=4)
    z_a, z_b = inputs.normal(6, 4, name="z_a"), inputs.normal(6, 4, name="z_b")
    yield criterion(z_a, z_b)["loss"]


def shares_of_the_blend(inputs: Inputs):
    """What a trainer logs while both parts are computed."""
    criterion = HybridPretrainVICRegLoss(
        gradual_transition_steps=4, min_alignment_threshold=-2.0, fusion_dim=5, vision_dim=5, text_dim=5
    )
    criterion.update_step(10, 100)
    criterion.update_step(11, 100)
    z_a, z_b = inputs.paired(batch=8, dim=5)
    out = criterion(z_a, z_b)
    yield out["loss"]
    yield out["contrastive_weight"], out["vicreg_weight"], out["contrastive_loss"], out["vicreg_loss"], out["accuracy"]


def contrast_of_a_single_step(inputs: Inputs):
    """It is over after one, or would be."""
    criterion = HybridPretrainVICRegLoss(
        contrastive_pretrain_steps=1, min_alignment_threshold=2.0, fusion_dim=4, vision_dim=4, text_dim=4
    )
    criterion.update_step(1, 10)
    z_a, z_b = inputs.paired(batch=6, dim=4)
    yield criterion(z_a, z_b)["pretrain_progress"]


def contrast_of_no_steps(inputs: Inputs):
    """Nothing is divided by zero."""
    criterion = HybridPretrainVICRegLoss(
        contrastive_pretrain_steps=0, min_alignment_threshold=2.0, fusion_dim=4, vision_dim=4, text_dim=4
    )
    for step in (0, 1):
        criterion.update_step(step, 10)
        z_a, z_b = inputs.paired(batch=6, dim=4)
        yield criterion(z_a, z_b)["pretrain_progress"]


def phase_of_a_trainer(inputs: Inputs):
    """A loop that looks at the phase."""
    criterion = HybridPretrainVICRegLoss(
        adaptive_transition=False, contrastive_pretrain_steps=1, fusion_dim=4, vision_dim=4, text_dim=4
    )
    for step in range(3):
        criterion.update_step(step, 3)
        z_a, z_b = inputs.paired(batch=6, dim=4)
        out = criterion(z_a, z_b)
        yield out["loss"] if criterion.current_phase == "vicreg" else 2 * out["loss"]


def blend_in_which_steps_go_back(inputs: Inputs):
    """The progress fell below 0."""
    criterion = HybridPretrainVICRegLoss(
        gradual_transition_steps=4, min_alignment_threshold=-2.0, fusion_dim=5, vision_dim=5, text_dim=5
    )
    for step in (10, 8):
        criterion.update_step(step, 100)
        z_a, z_b = inputs.paired(batch=8, dim=5)
        yield criterion(z_a, z_b)["loss"]


def blend_of_no_steps(inputs: Inputs):
    """It divided by zero."""
    criterion = HybridPretrainVICRegLoss(
        gradual_transition_steps=0, min_alignment_threshold=-2.0, fusion_dim=5, vision_dim=5, text_dim=5
    )
    criterion.update_step(10, 100)
    z_a, z_b = inputs.paired(batch=8, dim=5)
    yield criterion(z_a, z_b)["loss"]


def temperature_reported(inputs: Inputs):
    """It was 0.07 whatever it was."""
    criterion = HybridPretrainVICRegLoss(temperature=0.5, fusion_dim=4, vision_dim=4, text_dim=4)
    z_a, z_b = inputs.paired(batch=6, dim=4)
    yield criterion(z_a, z_b)["temperature"]


def widths_that_differ(inputs: Inputs):
    """A head of its own for the text."""
    criterion = HybridPretrainVICRegLoss(fusion_dim=4, vision_dim=5, text_dim=3)
    yield criterion(inputs.normal(6, 5), inputs.normal(6, 5))["loss"]


def width_not_declared(inputs: Inputs):
    """New heads were made in the middle of a call."""
    criterion = HybridPretrainVICRegLoss(fusion_dim=4, vision_dim=4, text_dim=4)
    yield criterion(inputs.normal(6, 5), inputs.normal(6, 5))["loss"]


def width_of_base_models(inputs: Inputs):
    """768 columns switched the heads off."""
    criterion = HybridPretrainVICRegLoss(fusion_dim=4)
    yield criterion(inputs.normal(4, 768), inputs.normal(4, 768))["loss"]


def doubles_behind_single_heads(inputs: Inputs):
    """The heads were left out without a word."""
    criterion = HybridPretrainVICRegLoss(fusion_dim=4, vision_dim=4, text_dim=4)
    z_a, z_b = inputs.paired(batch=6, dim=4)
    yield criterion(z_a.double(), z_b.double())["loss"]


def one_row(inputs: Inputs):
    """Nothing stands out of itself."""
    criterion = HybridPretrainVICRegLoss(
        adaptive_transition=False, contrastive_pretrain_steps=1, fusion_dim=4, vision_dim=4, text_dim=4
    )
    for step in range(2):
        criterion.update_step(step, 2)
        out = criterion(inputs.normal(1, 4), inputs.normal(1, 4))
        yield out["loss"]
        yield out["alignment_gap"], out["alignment_snr"]


def pairs_of_opposites(inputs: Inputs):
    """Pairs are less similar than the rest of the batch: the gap is below zero, its share of the noise is not."""
    criterion = HybridPretrainVICRegLoss(fusion_dim=4, vision_dim=4, text_dim=4)
    z_a, z_b = inputs.paired(batch=4, dim=4)
    out = criterion(z_a, -z_b)
    yield out["loss"]
    yield out["alignment_gap"], out["alignment_snr"]


def rows_that_differ(inputs: Inputs):
    """More rows on one side."""
    criterion = HybridPretrainVICRegLoss(fusion_dim=4, vision_dim=4, text_dim=4)
    yield criterion(inputs.normal(6, 4), inputs.normal(5, 4))["loss"]

"""Call sites of VICReg, one a behaviour."""

from legacy.vicreg_loss import VICRegLoss
from lossport.inputs import Inputs


def first_epoch(inputs: Inputs):
    """Default options, before anything is told: both regularisers count a hundredth."""
    criterion = VICRegLoss()
    for _ in range(2):
        z_a, z_b = inputs.paired(batch=8, dim=6)
        yield criterion(z_a, z_b)


def full_coefficients(inputs: Inputs):
    """Without curriculum epochs mean nothing, and whole numbers stay whole."""
    criterion = VICRegLoss(sim_coeff=25, var_coeff=25, cov_coeff=1, epsilon=1e-4, curriculum=False)
    for epoch in (0, 3):
        criterion.update_epoch(epoch)
        z_a, z_b = inputs.paired(batch=9, dim=5)
        yield criterion(z_a=z_a, z_b=z_b)


def options_by_position(inputs: Inputs):
    """All seven, in order."""
    criterion = VICRegLoss(5.0, 4.0, 0.5, 1e-2, 3, True, 20)
    criterion.update_epoch(1)
    z_a, z_b = inputs.paired(batch=6, dim=4)
    yield criterion(z_a, z_b)


def warm_up_by_epochs(inputs: Inputs):
    """The factors of the epochs, where no steps are told."""
    criterion = VICRegLoss()
    for epoch in (0, 1, 2, 9):
        criterion.update_epoch(epoch)
        yield criterion.get_warmup_factor()
        z_a, z_b = inputs.paired(batch=6, dim=4)
        yield criterion(z_a, z_b)


def slow_warm_up(inputs: Inputs):
    """A long one shows the floor and the power."""
    criterion = VICRegLoss(warmup_epochs=200)
    for epoch in (2, 8, 20, 40):
        criterion.update_epoch(epoch)
        yield criterion.get_warmup_factor()
    z_a, z_b = inputs.paired(batch=6, dim=4)
    yield criterion(z_a, z_b)


def warm_up_by_steps(inputs: Inputs):
    """From the third epoch on steps count, if there are any."""
    criterion = VICRegLoss(var_coeff=2.0, warmup_epochs=5, num_epochs=30)
    criterion.update_epoch(2)
    for step, total in ((1, 30000), (300, 30000), (700, 30000), (20, 0), (0, 900), (7, 10)):
        criterion.update_step(step, total)
        yield criterion.get_warmup_factor()
        z_a, z_b = inputs.paired(batch=6, dim=4)
        yield criterion(z_a, z_b)


def warm_up_of_short_runs(inputs: Inputs):
    """Fewer steps than epochs, a single step, no steps at all: an epoch has at least one."""
    criterion = VICRegLoss(warmup_epochs=50, num_epochs=30)
    criterion.update_epoch(2)
    for step, total in ((3, 10), (3, 1), (4, 0)):
        criterion.update_step(step, total)
        yield criterion.get_warmup_factor()


def warm_up_of_one_epoch(inputs: Inputs):
    """All steps are in it."""
    criterion = VICRegLoss(warmup_epochs=1, num_epochs=1)
    criterion.update_epoch(2)
    criterion.update_step(5, 100)
    yield criterion.get_warmup_factor()


def warm_up_of_no_epochs(inputs: Inputs):
    """Nothing is divided by zero."""
    criterion = VICRegLoss(warmup_epochs=0, num_epochs=0)
    criterion.update_epoch(2)
    yield criterion.get_warmup_factor()
    criterion.update_step(1, 3)
    z_a, z_b = inputs.paired(batch=6, dim=4)
    yield criterion(z_a, z_b)


def steps_in_the_first_epochs(inputs: Inputs):
    """They change nothing."""
    criterion = VICRegLoss()
    criterion.update_step(900, 1000)
    z_a, z_b = inputs.paired(batch=6, dim=4)
    yield criterion(z_a, z_b)
    criterion.update_epoch(1)
    z_a, z_b = inputs.paired(batch=6, dim=4)
    yield criterion(z_a, z_b)


def progress_read_and_set(inputs: Inputs):
    """A trainer that looks at the attributes, and sets one."""
    criterion = VICRegLoss()
    criterion.update_step(3, 40)
    if criterion.current_epoch == 0 and criterion.current_step < criterion.total_steps:
        criterion.current_epoch = 4
    z_a, z_b = inputs.paired(batch=6, dim=4)
    yield criterion(z_a, z_b)


def shifted_views(inputs: Inputs):
    """A constant shift between the views costs nothing."""
    criterion = VICRegLoss(curriculum=False)
    z = inputs.features(8, 5)
    yield criterion(z, z + 3.0)


def equal_rows(inputs: Inputs):
    """Only the hinge is left."""
    criterion = VICRegLoss(curriculum=False)
    row = inputs.normal(1, 5)
    yield criterion(row.expand(6, 5), row.expand(6, 5) * 2)
    yield criterion(row * 0 * inputs.normal(6, 1), row * 0 * inputs.normal(6, 1))


def wide_spread(inputs: Inputs):
    """Deviations above 1, where the hinge ends."""
    criterion = VICRegLoss(curriculum=False, epsilon=1e-2)
    z_a, z_b = inputs.paired(batch=12, dim=5)
    yield criterion(3.0 * z_a, 0.5 * z_b)


def one_feature(inputs: Inputs):
    """Nothing is off the diagonal."""
    criterion = VICRegLoss(curriculum=False)
    yield criterion(inputs.normal(7, 1), inputs.normal(7, 1))


def more_features_than_rows(inputs: Inputs):
    """A wide projector: the matrix of rows is the smaller one."""
    criterion = VICRegLoss(curriculum=False)
    yield criterion(inputs.normal(6, 600, name="z_a"), inputs.normal(6, 600, name="z_b"))


def trainer(inputs: Inputs):
    """A loop that logs what it reads."""
    criterion = VICRegLoss(var_coeff=5.0, cov_coeff=1.0, warmup_epochs=3, num_epochs=4)
    total = 0.0
    for epoch in range(3):
        criterion.update_epoch(epoch)
        criterion.update_step(5 * epoch, 20)
        z_a, z_b = inputs.paired(batch=10, dim=6)
        out = criterion(z_a=z_a, z_b=z_b)
        total += out["invariance_loss"] + out["var_weight"] * out["variance_loss"]
        yield out["loss"]
        yield total, out["warmup_factor"], out["covariance_loss"]


def one_row(inputs: Inputs):
    """A batch without spread."""
    criterion = VICRegLoss()
    yield criterion(inputs.normal(1, 5), inputs.normal(1, 5))


def shapes_of_two_widths(inputs: Inputs):
    """They cannot be compared."""
    criterion = VICRegLoss()
    yield criterion(inputs.normal(6, 5), inputs.normal(6, 4))


def shapes_one_row_against_many(inputs: Inputs):
    """It broadcasts."""
    criterion = VICRegLoss()
    yield criterion(inputs.normal(6, 5), inputs.normal(1, 5))


def shapes_one_column_against_many(inputs: Inputs):
    """It broadcasts, for a while."""
    criterion = VICRegLoss()
    yield criterion(inputs.normal(6, 1), inputs.normal(6, 5))


def shapes_of_one_axis(inputs: Inputs):
    """No rows and columns."""
    criterion = VICRegLoss()
    yield criterion(inputs.normal(6), inputs.normal(6))


def negative_epoch(inputs: Inputs):
    """Before the first."""
    criterion = VICRegLoss()
    criterion.update_epoch(-1)
    z_a, z_b = inputs.paired(batch=6, dim=5)
    yield criterion(z_a, z_b)

"""Call sites of Barlow Twins, one a behaviour."""

from legacy.barlow_twins_loss import BarlowTwinsLoss
from lossport.inputs import Inputs


def default_options(inputs: Inputs):
    """Across the modalities, rows of length 1, no heads."""
    criterion = BarlowTwinsLoss()
    for _ in range(2):
        vision, text = inputs.paired(batch=8, dim=6)
        yield criterion(vision, text)


def within_the_modalities(inputs: Inputs):
    """The mean of both covariances."""
    criterion = BarlowTwinsLoss(lambda_coeff=0.1, correlation_mode="within_batch")
    vision, text = inputs.paired(batch=8, dim=6)
    yield criterion(vision_features=vision, text_features=text)


def training_and_evaluation(inputs: Inputs):
    """Without heads the mode makes no difference."""
    criterion = BarlowTwinsLoss()
    for mode in (False, True):
        criterion.train(mode)
        vision, text = inputs.paired(batch=6, dim=4)
        yield criterion(vision, text)


def rows_as_they_are(inputs: Inputs):
    """Without normalisation, and with a weight that shows."""
    criterion = BarlowTwinsLoss(lambda_coeff=1, normalize_embeddings=False)
    vision, text = inputs.paired(batch=7, dim=5)
    yield criterion(vision, text)


def within_the_modalities_as_they_are(inputs: Inputs):
    """Both options together, by position."""
    criterion = BarlowTwinsLoss(0.5, True, "within_batch", False, 64, None, False)
    vision, text = inputs.paired(batch=7, dim=5)
    yield criterion(vision, text)


def more_features_than_rows(inputs: Inputs):
    """A wide projector: the matrices of rows are the smaller ones."""
    vision, text = inputs.normal(6, 600, name="vision"), inputs.normal(6, 600, name="text")
    yield BarlowTwinsLoss(lambda_coeff=1.0)(vision, text)
    yield BarlowTwinsLoss(lambda_coeff=1.0, correlation_mode="within_batch")(vision, text)


def heads_in_training(inputs: Inputs):
    """Three steps move the statistics of the batch norms."""
    criterion = BarlowTwinsLoss(add_projection=True, input_dim=5, projection_dim=4)
    for _ in range(3):
        vision, text = inputs.paired(batch=8, dim=5)
        yield criterion(vision, text)


def heads_in_training_and_evaluation(inputs: Inputs):
    """Evaluation takes the running statistics."""
    criterion = BarlowTwinsLoss(lambda_coeff=0.02, add_projection=True, input_dim=4, projection_dim=6)
    for mode in (True, False, True):
        criterion.train(mode)
        vision, text = inputs.paired(batch=6, dim=4)
        yield criterion(vision, text)
    criterion.eval()
    vision, text = inputs.paired(batch=1, dim=4)
    yield criterion(vision, text)


def heads_that_end_in_a_linear_layer(inputs: Inputs):
    """Without the last batch norm, rows as they are."""
    criterion = BarlowTwinsLoss(
        add_projection=True,
        input_dim=4,
        projection_dim=3,
        batch_norm_last_layer=False,
        normalize_embeddings=False,
        correlation_mode="within_batch",
    )
    vision, text = inputs.paired(batch=6, dim=4)
    yield criterion(vision, text)


def heads_and_one_row(inputs: Inputs):
    """Batch norms refuse it in training."""
    criterion = BarlowTwinsLoss(add_projection=True, input_dim=4, projection_dim=3)
    yield criterion(inputs.normal(1, 4), inputs.normal(1, 4))


def heads_alone(inputs: Inputs):
    """Features as the loss sees them."""
    criterion = BarlowTwinsLoss(add_projection=True, input_dim=4, projection_dim=3)
    vision, text = inputs.paired(batch=6, dim=4)
    first, second = criterion.project(vision, text)
    yield first, second


def rows_alone(inputs: Inputs):
    """The same without heads."""
    criterion = BarlowTwinsLoss()
    vision, text = inputs.paired(batch=6, dim=4)
    first, second = criterion.project(vision_features=vision, text_features=text)
    yield first, second


def trainer(inputs: Inputs):
    """A loop that takes the tuple apart, and one that reads what it needs."""
    criterion = BarlowTwinsLoss(lambda_coeff=0.01)
    vision, text = inputs.paired(batch=8, dim=6)
    loss, parts = criterion(vision, text)
    yield loss
    yield parts["diagonal_loss"] + 0.01 * parts["off_diagonal_loss"]
    vision, text = inputs.paired(batch=8, dim=6)
    out = criterion(vision, text)
    yield out[0]
    yield out[1]["diagonal_loss"]


def one_row(inputs: Inputs):
    """It is its own mean: the loss is 1."""
    criterion = BarlowTwinsLoss()
    yield criterion(inputs.normal(1, 5), inputs.normal(1, 5))


def empty_batch(inputs: Inputs):
    """No rows, with heads and without."""
    yield BarlowTwinsLoss()(inputs.normal(0, 5), inputs.normal(0, 5))
    yield BarlowTwinsLoss(add_projection=True, input_dim=5, projection_dim=3)(inputs.normal(0, 5), inputs.normal(0, 5))


def unknown_mode(inputs: Inputs):
    """A word that is no mode."""
    criterion = BarlowTwinsLoss(correlation_mode="within")
    vision, text = inputs.paired(batch=6, dim=4)
    yield criterion(vision, text)


def heads_without_a_width(inputs: Inputs):
    """Nothing says how wide the features are."""
    criterion = BarlowTwinsLoss(add_projection=True)
    vision, text = inputs.paired(batch=6, dim=4)
    yield criterion(vision, text)


def sizes_two_widths(inputs: Inputs):
    """Other columns."""
    yield BarlowTwinsLoss()(inputs.normal(6, 5), inputs.normal(6, 4))


def sizes_one_column(inputs: Inputs):
    """It was broadcast."""
    yield BarlowTwinsLoss()(inputs.normal(6, 5), inputs.normal(6, 1))


def sizes_two_batches(inputs: Inputs):
    """Within the modalities it passed."""
    yield BarlowTwinsLoss(correlation_mode="within_batch")(inputs.normal(6, 5), inputs.normal(4, 5))


def sizes_empty_against_many(inputs: Inputs):
    """The text was not looked at."""
    yield BarlowTwinsLoss()(inputs.normal(0, 5), inputs.normal(4, 5))


def sizes_wider_than_the_heads(inputs: Inputs):
    """Heads for other features."""
    criterion = BarlowTwinsLoss(add_projection=True, input_dim=4, projection_dim=3)
    yield criterion(inputs.normal(6, 5), inputs.normal(6, 5))

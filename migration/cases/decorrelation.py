"""Call sites of the decorrelation penalty, one a behaviour."""

from legacy.decorrelation_loss import DecorrelationLoss
from lossport.inputs import Inputs


def vision_alone(inputs: Inputs):
    """Default options: the mean over pairs of columns, of rows of length 1, with statistics."""
    criterion = DecorrelationLoss()
    for _ in range(2):
        yield criterion(inputs.features(8, 6, name="vision"))


def both_modalities(inputs: Inputs):
    """The mean of both parts, of sizes of their own."""
    criterion = DecorrelationLoss(coef=0.5)
    yield criterion(inputs.features(8, 6, name="vision"), inputs.normal(5, 4, name="text"))


def all_three(inputs: Inputs):
    """By name, in any order."""
    criterion = DecorrelationLoss()
    vision, text = inputs.paired(batch=9, dim=5)
    yield criterion(features=inputs.features(7, 3), text_features=text, vision_features=vision)


def features_alone(inputs: Inputs):
    """Their statistics have a prefix of their own."""
    criterion = DecorrelationLoss(2.0, 1e-5, True, True, "mean")
    yield criterion(features=inputs.features(8, 4))


def without_statistics(inputs: Inputs):
    """The parts alone, of one input at a time."""
    criterion = DecorrelationLoss(track_feature_stats=False)
    yield criterion(text_features=inputs.features(8, 4, name="text"))
    yield criterion(features=inputs.features(8, 4))


def sum_of_rows_as_they_are(inputs: Inputs):
    """Every option away from its default; epsilon does nothing."""
    criterion = DecorrelationLoss(coef=2, epsilon=1.0, normalize_embeddings=False, track_feature_stats=False, reduction="sum")
    vision, text = inputs.paired(batch=7, dim=5)
    yield criterion(vision, text)


def collapsed_columns(inputs: Inputs):
    """Columns that hardly vary are counted, in every input."""
    criterion = DecorrelationLoss(normalize_embeddings=False)
    vision, text = inputs.paired(batch=8, dim=4)
    yield criterion(vision * 1e-4, text * 1e-4, inputs.features(6, 3) * 1e-4)


def more_features_than_rows(inputs: Inputs):
    """The matrix of rows is the smaller one."""
    criterion = DecorrelationLoss(coef=100.0)
    yield criterion(features=inputs.normal(6, 600))


def trainer(inputs: Inputs):
    """A loop that logs what it reads."""
    criterion = DecorrelationLoss(coef=0.1)
    vision, text = inputs.paired(batch=8, dim=6)
    out = criterion(vision_features=vision, text_features=text)
    yield out["loss"]
    yield out["decorrelation_loss"], out["vision_decorrelation_loss"], out["text_decorrelation_loss"]
    yield out["feature_stats"]["vision_mean_var"], out["feature_stats"]["text_low_var_dims"]


def training_and_evaluation(inputs: Inputs):
    """The mode makes no difference."""
    criterion = DecorrelationLoss()
    criterion.eval()
    yield criterion(inputs.features(8, 4))


def one_column(inputs: Inputs):
    """There are no pairs of columns."""
    criterion = DecorrelationLoss(normalize_embeddings=False)
    yield criterion(features=inputs.normal(6, 1))


def one_row(inputs: Inputs):
    """No input has spread."""
    criterion = DecorrelationLoss()
    yield criterion(inputs.normal(1, 4), inputs.normal(1, 4), inputs.normal(1, 4))


def one_row_of_two_inputs(inputs: Inputs):
    """One without spread counts in the mean all the same."""
    criterion = DecorrelationLoss(track_feature_stats=False)
    yield criterion(inputs.normal(1, 4), inputs.normal(6, 4))


def one_row_of_two_inputs_not_finite(inputs: Inputs):
    """What is no number stays none."""
    criterion = DecorrelationLoss(track_feature_stats=False)
    yield criterion(inputs.normal(1, 5, name="vision") * float("nan"), inputs.normal(6, 5, name="text"))


def no_rows(inputs: Inputs):
    """Empty batches."""
    criterion = DecorrelationLoss()
    yield criterion(inputs.normal(0, 4), inputs.normal(0, 3), inputs.normal(0, 2))


def no_reduction(inputs: Inputs):
    """A matrix cannot be a number."""
    criterion = DecorrelationLoss(reduction="none")
    yield criterion(inputs.features(6, 4))


def nothing_given(inputs: Inputs):
    """No features at all."""
    criterion = DecorrelationLoss()
    yield criterion()


def one_axis(inputs: Inputs):
    """No rows and columns."""
    criterion = DecorrelationLoss()
    yield criterion(inputs.normal(4))


def three_axes(inputs: Inputs):
    """Sequences."""
    criterion = DecorrelationLoss()
    yield criterion(features=inputs.normal(4, 3, 2))

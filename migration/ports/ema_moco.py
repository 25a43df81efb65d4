"""EMAMoCoLoss -> MoCoLoss: momentum contrast between vision and text."""

from lossport.port import Gone, Port, divergence, drop, number, rename, tensor

OPTIONS = (rename("K", "queue_size"), rename("m", "momentum"), rename("T", "temperature"))

TIED = tuple(
    f"{case}*"
    for case in (
        *("attached_encoders", "options_by_position", "given_features", "inputs_that_are_no_tensors", "keys_stand_still"),
        *("momentum_of_zero", "batch_norm_and_dropout_in_the_encoders", "one_row", "backward_after_the_call", "reads_numbers"),
        *("key_encoders_that_work_in_place", "configuration_"),
    )
)
"""Cases whose positives tie with their copies but for rounding; all others compare accuracies."""

PORTS = (
    Port(
        legacy="legacy.ema_moco_loss.EMAMoCoLoss",
        new="losses.MoCoLoss",
        parameters=OPTIONS,
        forward=(drop("match_ids", reason="the legacy loss takes any keyword and ignores it; each row's key is its own"),),
        attributes=OPTIONS,
        returns=(
            tensor("loss"),
            number("v2t_loss"),
            number("t2v_loss"),
            number("v2t_accuracy"),
            number("t2v_accuracy"),
            number("accuracy"),
            number("queue_size"),
            number("momentum"),
        ),
        divergences=(
            divergence(
                "moco-1",
                "the query encoders were never stored, so that every call failed unless somebody attached them: they are "
                "referred to, without being sub-modules",
                cases="encoders_not_attached*",
                places="raises",
            ),
            divergence(
                "moco-3",
                "a positive and its copy in the queue come from two roundings, and whichever is larger by luck was right: a tie "
                "counts for the positive",
                cases=TIED,
                places=('returns["v2t_accuracy"]', 'returns["t2v_accuracy"]', 'returns["accuracy"]'),
            ),
            divergence(
                "moco-nan",
                "of a row of NaN the first place was the largest, which was right for the first row by luck: it is wrong for all",
                cases=("accuracy_of_exact_ties@inf", "accuracy_of_exact_ties@nan"),
                places=('returns["v2t_accuracy"]', 'returns["t2v_accuracy"]', 'returns["accuracy"]'),
            ),
            divergence(
                "moco-6",
                "a batch longer than the queue overwrote its own keys: it raises ValueError",
                cases="batch_longer_than_the_queue*",
                places=("raises", "state[*_queue*]"),
            ),
            divergence(
                "moco-6-far",
                "a batch that goes round the queue more than twice failed half way: it raises ValueError before it stores any",
                cases="batch_far_longer_than_the_queue*",
                places=("raises", "state[*_queue*]"),
            ),
            divergence(
                "moco-8",
                "keys that do not follow still needed encoders to follow",
                cases="still_keys_without_encoders*",
                places="raises",
            ),
            divergence(
                "moco-make",
                "encoders of another make than their copies were followed as far as their parameters went: it raises ValueError",
                cases="encoders_of_another_make*",
                places="raises",
            ),
            divergence(
                "moco-9",
                "keys entered the queue before shapes were found wrong: they are checked first",
                cases=("wrong_*",),
                places=("raises", "state[*_queue*]"),
            ),
            divergence(
                "moco-no-rows",
                "the mean over no rows was NaN: it is 0, as in all losses",
                cases=("empty_batch*", "*@batch-0"),
                places='returns["*"]',
            ),
            divergence(
                "moco-half",
                "the new loss computes half precision in float32, returns the loss in float32, and mixes precisions",
                cases=("*@float16", "*@bfloat16"),
                places=("returns*", "raises", "state[*]"),
            ),
        ),
    ),
    Gone("legacy.ema_moco_loss.extract_file_metadata", reason="moco-12: it raises NameError"),
)

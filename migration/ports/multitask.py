"""How one loss for each task becomes `losses.MultitaskLoss`.

Entries keep their names and stay tensors, whatever the tasks are called. All branches of the legacy module are reached but the
metadata.
"""

from lossport.port import Gone, Port, divergence, drop

PORTS = (
    Port(
        legacy="legacy.multitask_loss.MultitaskLoss",
        new="losses.MultitaskLoss",
        parameters=(drop("reduction", reason="multi-9: stored, never used"),),
        divergences=(
            divergence(
                "multi-3",
                "a loss of NaN made all weights NaN for ever: what is not finite is left out of the means",
                cases=(
                    "a_loss_of_nan*",
                    "weights_that_follow*@nan",
                    "weights_that_follow*@inf",
                    "weights_that_follow*@batch-0",
                    "a_task_that_is_absent@nan",
                    "a_task_that_is_absent@inf",
                    "a_task_that_is_absent@batch-0",
                ),
                places=('returns["*"]', "gradients[*]", "attributes[*]"),
            ),
            divergence(
                "multi-4",
                "a negative running loss counted as next to nothing, so that its task took all the weight: its size counts",
                cases="a_negative_loss*",
                places=('returns["*"]', "gradients[*]", "attributes[*]"),
            ),
            divergence(
                "multi-6",
                "the sum was made in place on the first loss, whose shape and precision ruled: it is an ordinary sum",
                cases="losses_of_several_kinds*",
                places="raises",
            ),
            divergence(
                "multi-7",
                "without any task the loss was a Python 0.0: it is a zero that can be differentiated",
                cases="no_task_at_all*",
                places='returns["loss"]',
            ),
            divergence(
                "multi-8",
                "weights for other tasks than those given failed in the first call, or thinned the rest: a ValueError",
                cases=("a_task_without_a_weight*", "a_weight_without_a_task*", "weights_of_sum_zero*", "no_tasks*"),
                places=("raises", "instances"),
            ),
            divergence(
                "multi-10",
                "weights and means were lost with a checkpoint, and moved in evaluation as well: they are saved, and move in "
                "training",
                cases=(
                    "weights_that_follow_in_evaluation*",
                    "weights_that_follow*@eval",
                    "weights_that_follow*@state-dict",
                    "a_task_that_is_absent@eval",
                ),
                places=('returns["*"]', "gradients[*]", "attributes[*]"),
            ),
            divergence(
                "multi-10-state",
                "moving weights and means are in the state",
                cases="*",
                places=("state[*task_weights]", "state[*task_means]"),
            ),
            divergence(
                "multi-metrics",
                "the losses of the tasks were attached to the graph, and one without a reduction kept its rows: all entries but "
                "the loss are detached numbers",
                cases="*",
                places=('returns["*_loss"]', 'gradients[* of returns["*_loss"]]'),
            ),
        ),
    ),
    Gone("legacy.multitask_loss.extract_file_metadata", reason="prose about the file; nothing reads it"),
)

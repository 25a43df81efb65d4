"""MemoryQueueContrastiveLoss -> MemoryQueueLoss: the features of earlier batches as further negatives.

Branches of the legacy module that no case reaches on one device: the move of the queues to another device, and the update of
queues that do not exist (both callers create them first).
"""

from lossport.port import Drop, Gone, Method, Port, acknowledge, divergence, drop, number, tensor

UNUSED = drop("dim", reason="mem-10: stored, never used; the first batch decides the width")

GONE: tuple[Drop, ...] = (
    UNUSED,
    drop("initialized", reason="mem-3: whether there are queues is the queues' own state: vision_queue is not None"),
    drop("use_two_buffers", reason="mem-10: never read"),
    drop("initial_temperature", reason="mem-10: the temperature itself, which is no longer dead"),
    drop("max_temperature", reason="mem-10: always 1.3 times the temperature"),
)

PORTS = (
    Port(
        legacy="legacy.memory_queue_contrastive_loss.MemoryQueueContrastiveLoss",
        new="losses.MemoryQueueLoss",
        parameters=(UNUSED,),
        methods={"initialize_queue": Method("enqueue")},
        attributes=GONE,
        returns=(
            tensor("loss"),
            number("loss_v2t", "v2t_loss"),
            number("loss_t2v", "t2v_loss"),
            number("temperature"),
            number("queue_fill"),
        ),
        random="distribution",
        random_reason="mem-8: the queues are drawn from the same stream, but the number that decided about printing is not drawn",
        acknowledged=(
            acknowledge(
                "examples/needs_a_person/whole_result.py",
                "out.items()",
                reason="every entry goes through float(), which takes numbers and 0-d tensors alike; only loss is read by name",
            ),
        ),
        divergences=(
            divergence(
                "mem-2",
                "plain exponentials overflow at a low temperature; a log-sum-exp does not",
                cases="low_temperature*",
                places=('returns["*"]', "gradients[*]"),
            ),
            divergence(
                "mem-3",
                "saved queues could not be loaded into a fresh loss, which drew new ones: they are restored, and count as filled",
                cases=("restored_from_a_checkpoint*", "*@state-dict", "reads_numbers@state-dict"),  # the last is always run
                places=("carried", 'returns["*"]', "gradients[*]", "state[*queue*]"),
            ),
            divergence(
                "mem-4",
                "only float32 features met the float32 queue: the queue is cast to the dtype of the features for the product",
                cases=("float64_features*", "*@float64", "*@float16", "*@bfloat16"),
                places="raises",
            ),
            divergence(
                "mem-5",
                "features of another width left the pointer where it was: it starts at 0 with the new queues",
                cases="another_width",
                places=("state[queue_ptr]", "state[*_queue]", 'returns["*loss"]', "gradients[*]"),
            ),
            divergence(
                "mem-6",
                "evaluation drew queues and stored batches like training: it does neither",
                cases=("evaluation*", "*@eval"),
                places=("state[*]", "returns*", "gradients[*]"),
            ),
            divergence(
                "mem-11",
                "a batch that wraps round the queue twice failed: the last rows are stored",
                cases="batch_far_longer_than_the_queue*",
                places="raises",
            ),
            divergence(
                "mem-13",
                "without any positive pair the legacy loss returns a zero alone, without a graph; the new one has all keys, and "
                "its zero can be differentiated",
                cases=("no_pairs*", "empty_batch*", "*@batch-0"),
                places=("returns*", "gradients[*]", "raises"),
            ),
            divergence(
                "mem-14",
                "a prefill with anything but tensors was only printed about: it raises ValueError",
                cases="prefilled_with_lists*",
                places="raises",
            ),
            divergence(
                "mem-autocast",
                "under autocast the new loss computes its products in float32",
                cases="*@autocast",
                places=("returns*", "gradients[*]"),
            ),
            divergence(
                "mem-wrong-use",
                "wrong shapes, ids and options raise ValueError with what was found and expected before anything is drawn, "
                "where the legacy loss raises IndexError, RuntimeError, TypeError or ZeroDivisionError, or computes something",
                cases="wrong_*",
                places=("raises", "instances", "state[*_queue*]"),
            ),
        ),
    ),
    Gone("legacy.memory_queue_contrastive_loss.extract_file_metadata", reason="mem-14: prose about the file; nothing reads it"),
)

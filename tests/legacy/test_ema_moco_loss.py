"""What `ema_moco_loss.py` did, case by case."""

from tests.legacy.suite import suite_of

test_it_does_what_was_recorded, test_its_recording_is_whole = suite_of("ema_moco_loss.py")

"""The time for which a listener waits after it found no message."""

from itertools import pairwise

from bot_workbench.emulator.functions.queues.polling_delay import PollingDelay


def test_delay_grows_to_the_maximum_and_stays() -> None:
    """From about 0.2 s it doubles, with jitter, until the maximum is reached."""
    delay = PollingDelay(10.0)
    delays = [delay.next() for _ in range(12)]
    assert 0.18 <= delays[0] <= 0.22
    assert all(shorter <= longer for shorter, longer in pairwise(delays))
    assert delays[-2:] == [10.0, 10.0]
    assert len({PollingDelay(10.0).next() for _ in range(20)}) > 1


def test_message_resets_the_delay() -> None:
    """After a message the queue is polled as often as at the start."""
    delay = PollingDelay(10.0)
    for _ in range(12):
        delay.next()
    delay.reset()
    assert delay.next() <= 0.22


def test_small_maximum_holds_at_once() -> None:
    """The maximum holds from the first delay on."""
    assert PollingDelay(0.1).next() == 0.1

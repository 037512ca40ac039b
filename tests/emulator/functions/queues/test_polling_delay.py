"""How long a listener waits after an empty look."""

from itertools import pairwise

from emulator.functions.queues.polling_delay import PollingDelay


def test_delay_grows_to_the_maximum_and_stays() -> None:
    """From about 0.2 s it doubles, spread at random, until the maximum is reached."""
    delay = PollingDelay(10.0)
    delays = [delay.next() for _ in range(12)]
    assert 0.18 <= delays[0] <= 0.22
    assert all(shorter <= longer for shorter, longer in pairwise(delays))
    assert delays[-2:] == [10.0, 10.0]
    assert len({PollingDelay(10.0).next() for _ in range(20)}) > 1


def test_message_brings_the_first_delay_back() -> None:
    """After a message the queue is looked at as often as in the beginning."""
    delay = PollingDelay(10.0)
    for _ in range(12):
        delay.next()
    delay.reset()
    assert delay.next() <= 0.22


def test_small_maximum_is_kept() -> None:
    """The maximum holds from the first delay on."""
    assert PollingDelay(0.1).next() == 0.1

"""Work leaves the event loop, comes back whole, and its errors say nothing of what it read."""

import asyncio
import threading

import pytest

from gateway.detectors.lane import JobFailed, Lane, LaneClosed


@pytest.fixture
def lane():
    lane = Lane("sample")
    yield lane
    lane.close()


async def test_work_runs_on_a_thread_of_the_lane(lane: Lane) -> None:
    assert await lane.run(lambda _: threading.current_thread().name, None) == "sample-0"


async def test_jobs_run_one_after_another_in_the_order_they_came(lane: Lane) -> None:
    ran: list[int] = []
    await asyncio.gather(*(lane.run(ran.append, number) for number in range(50)))
    assert ran == list(range(50))


async def test_it_counts_what_it_ran_to_the_end_well_or_not(lane: Lane) -> None:
    release = threading.Event()
    held = asyncio.gather(lane.run(lambda _: release.wait(5), None))
    await asyncio.sleep(0)
    assert lane.ended == 0
    release.set()
    await held
    with pytest.raises(JobFailed):
        await lane.run(int, "no number")
    # The thread counts a job when it has answered it: by the time of the next it has.
    await lane.run(str, 1)
    assert lane.ended >= 2


async def test_an_error_names_its_kind_and_none_of_its_words(lane: Lane) -> None:
    def fail(text: str) -> None:
        raise ValueError(f"did not find {text}")

    with pytest.raises(JobFailed) as caught:
        await lane.run(fail, "secret canary")
    assert str(caught.value) == "sample: ValueError"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert await lane.run(str, 1) == "1"


async def test_even_an_exit_does_not_end_the_thread(lane: Lane) -> None:
    def leave(_: None) -> None:
        raise SystemExit

    with pytest.raises(JobFailed):
        await lane.run(leave, None)
    assert await lane.run(str, 2) == "2"


async def test_the_loop_goes_on_while_a_job_hangs_and_a_waiter_can_give_up(lane: Lane) -> None:
    release = threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await lane.run(lambda _: release.wait(5), None)
    ran: list[str] = []
    late = asyncio.gather(lane.run(ran.append, "late"))
    await asyncio.sleep(0)
    assert not ran
    release.set()
    await late
    assert ran == ["late"]


async def test_a_job_that_nobody_waits_for_is_never_begun(lane: Lane) -> None:
    release, ran = threading.Event(), []
    held = asyncio.gather(lane.run(lambda _: release.wait(5), None))
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await lane.run(ran.append, "given up")
    release.set()
    await held
    await lane.run(ran.append, "next")
    assert ran == ["next"]


async def test_a_closed_lane_takes_no_work_and_answers_what_waited() -> None:
    lane, begun, release = Lane("closing"), threading.Event(), threading.Event()

    def hold(_: None) -> bool:
        begun.set()
        return release.wait(5)

    busy = asyncio.gather(lane.run(hold, None))
    assert await asyncio.to_thread(begun.wait, 5)
    waiting = asyncio.gather(lane.run(str, 1), return_exceptions=True)
    await asyncio.sleep(0)
    lane.close()
    lane.close()
    release.set()
    await busy
    (refused,) = await waiting
    assert isinstance(refused, LaneClosed)
    with pytest.raises(LaneClosed):
        await lane.run(str, 1)


def test_a_hung_job_does_not_keep_the_process_alive() -> None:
    lane = Lane("daemon")

    async def leave_one_hanging() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await lane.run(lambda _: hang.wait(5), None)

    hang = threading.Event()
    asyncio.run(leave_one_hanging())
    (thread,) = (each for each in threading.enumerate() if each.name == "daemon-0")
    assert thread.daemon
    hang.set()
    lane.close()

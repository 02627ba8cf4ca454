"""Services beside the device itself: who is looked at when one of them falls silent (J5, J8)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from hostwatch.core import facts, instant
from hostwatch.core.schedule import Target
from hostwatch.core.service import Service
from hostwatch.core.terms import ServiceTerms
from hostwatch.patience import Patience
from hostwatch.pinger import Manner
from tests.prober.stage import START, Stage, seconds

QUICK = Manner(attempts=1, timeout=seconds(0.5))
WWW, EMAIL = Service(name="www"), Service(name="email", intrudes=True)


def looks_of(silent: str, *services: Service) -> dict[str, list[datetime]]:
    """When everybody was looked at in twenty minutes; one misses from its third look on."""
    stage = Stage(
        {"web": seconds(300)},
        {"web": QUICK},
        lambda signal, look: signal != silent or look < 3,
        services={"web": services},
    )

    async def act(stage: Stage) -> None:
        await stage.clock.sleep(seconds(1200))

    stage.run(act)
    return stage.pinger.looks


def test_each_service_is_looked_at_at_an_instant_of_its_own() -> None:
    found = looks_of("nobody", WWW, EMAIL)

    assert {name: len(looks) for name, looks in found.items()} == {
        "web/ping@main": 5,
        "web/www@main": 5,
        "web/email@main": 5,
    }, "once at once, and then each five minutes"
    assert len({looks[1] for looks in found.values()}) == 3


def test_a_service_that_falls_silent_has_its_device_looked_at_at_once() -> None:
    found = looks_of("web/www@main", WWW, EMAIL)
    missed = found["web/www@main"][2]

    after = [at - missed for at in found["web/ping@main"] if at >= missed]
    assert after[0] < seconds(2)
    assert len(found["web/ping@main"]) == 6
    assert len(found["web/email@main"]) == 5


def test_a_look_at_a_service_is_late_by_its_own_interval() -> None:
    """A twentieth of it, at least 50 ms; and never more than five minutes, since its slice waits for it."""
    services = {
        "fast": (seconds(30), seconds(1.5)),
        "faster": (seconds(0.5), seconds(0.05)),
        "slow": (seconds(6000), seconds(300)),
        "slower": (seconds(86_400), seconds(300)),
        "same": (None, seconds(15)),
    }
    ours = tuple(Service(name=name, terms=ServiceTerms(interval=one)) for name, (one, _) in services.items())
    stage = Stage(
        {"web": seconds(300)},
        {"web": QUICK},
        lambda signal, look: True,
        services={"web": ours},
    )

    async def act(stage: Stage) -> None:
        stage.prober.rounds.manner_of_all = QUICK
        await stage.clock.sleep(seconds(310))

    stage.run(act)

    expected = {f"web/{name}@main": late for name, (_, late) in services.items()}
    assert stage.pinger.late_after == {"web/ping@main": QUICK.late_after, **expected}


def test_a_silent_service_is_followed_up_and_one_that_logs_in_only_when_it_is_due() -> None:
    assert len(looks_of("web/www@main", WWW)["web/www@main"]) > 20
    assert len(looks_of("web/email@main", EMAIL)["web/email@main"]) == 5


def test_a_silent_device_is_looked_at_without_its_services() -> None:
    found = looks_of("web/ping@main", WWW)

    assert len(found["web/ping@main"]) > 20
    assert len(found["web/www@main"]) == 5


def test_a_service_is_judged_as_its_device_is() -> None:
    stage = Stage(
        {"web": seconds(10)},
        {"web": QUICK},
        lambda signal, look: signal != "web/www@main" or look < 3,
        services={"web": (WWW,)},
    )

    async def act(stage: Stage) -> None:
        stage.prober.follow_ups.lasting = seconds(0)
        await stage.clock.sleep(seconds(60))
        assert stage.engine.world.signals["web/www@main"].verdict is not None
        assert stage.engine.world.signals["web/ping@main"].silence is None

    stage.run(act)

    assert stage.clock.now() - START >= seconds(60)
    assert [fact.at for fact in stage.facts(facts.WentDown, "web")] == []


def test_a_service_waits_for_its_device_and_not_longer_than_was_said() -> None:
    """Its verdict comes with the first miss, the device's with its second, five to ten minutes later."""
    hasty = Service(name="www", terms=ServiceTerms(misses=1))
    stage = Stage(
        {"web": seconds(300)},
        {"web": QUICK},
        lambda signal, look: look < (3 if signal == "web/www@main" else 4),
        services={"web": (hasty,)},
    )
    happened: list[facts.Fact] = []

    async def act(stage: Stage) -> None:
        stage.engine.listeners.append(lambda decision: happened.extend(decision.facts))
        patience = asyncio.create_task(Patience(stage.engine, stage.clock).run())
        await stage.clock.sleep(seconds(1500))
        patience.cancel()

    stage.run(act)

    told = [one for one in happened if type(one).__name__.startswith("Emergency")]
    held, opened, joined = told
    assert isinstance(held, facts.EmergencyHeld)
    assert isinstance(opened, facts.EmergencyOpened)
    assert isinstance(joined, facts.EmergencyJoined)
    assert timedelta(0) <= opened.at - held.until < seconds(1)
    assert held.until - held.at == seconds(300)
    assert (opened.signal, joined.signal) == ("web/www@main", "web/ping@main")


def looks_after_its_device_came_back(service: Service) -> tuple[list[facts.Fact], list[datetime], datetime]:
    """A service that is looked at each two hours is silent from its third look on; its device is too, then.

    What happened, when the service was looked at since, and when its device answered again.
    """
    name = service.signal("web", "main")
    every = seconds(7200)
    target = Target(signal=name, address="192.0.2.1", interval=every)
    dies_at = START + ((target.phase_us - instant.micros(START)) % target.interval_us) * instant.MICROSECOND
    dies_at += every
    back_at = dies_at + seconds(1000)

    def says(signal: str, look: int) -> bool:
        at = stage.clock.now()
        if signal == name:
            return at < dies_at
        return not signal.startswith("web/") or not dies_at - seconds(400) <= at < back_at

    stage = Stage({"web": seconds(300)}, {"web": QUICK}, says, services={"web": (service,)})
    happened: list[facts.Fact] = []

    async def act(stage: Stage) -> None:
        stage.prober.follow_ups.lasting = seconds(0)
        stage.engine.listeners.append(lambda decision: happened.extend(decision.facts))
        patience = asyncio.create_task(Patience(stage.engine, stage.clock).run())
        await stage.clock.sleep(back_at - START + seconds(3600))
        patience.cancel()

    stage.run(act)
    (answered_at,) = [one.first_answer for one in happened if isinstance(one, facts.CameUp)]
    return happened, [at for at in stage.pinger.looks[name] if at > dies_at + seconds(1)], answered_at


def test_a_service_that_is_looked_at_rarely_is_told_of_soon_after_its_device_came_back() -> None:
    rare = Service(name="www", terms=ServiceTerms(interval=seconds(7200), misses=1))
    happened, looks, back_at = looks_after_its_device_came_back(rare)

    opened = [one for one in happened if isinstance(one, facts.EmergencyOpened)]
    assert [one.signal for one in opened] == ["web/ping@main", "web/www@main"]
    (looked_at,) = looks
    assert looked_at - back_at == seconds(300), "once, as long after it as it would have waited for it"
    assert timedelta(0) <= opened[1].at - looked_at < seconds(2)


def test_one_that_logs_in_waits_for_its_schedule() -> None:
    rare = Service(name="www", intrudes=True, terms=ServiceTerms(interval=seconds(7200), misses=1))
    happened, looks, _ = looks_after_its_device_came_back(rare)

    assert [one.signal for one in happened if isinstance(one, facts.EmergencyOpened)] == ["web/ping@main"]
    assert looks == []

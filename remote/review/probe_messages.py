"""Messages: whose, how many, and what is said to those who are refused."""

import asyncio

from probe_common import probe


def _adapter(authorized=True, platform="telegram"):
    from gateway.config import Platform, PlatformConfig
    from gateway.platforms.base import BasePlatformAdapter, SendResult

    class Adapter(BasePlatformAdapter):
        sent = []

        async def connect(self):
            return True

        async def disconnect(self):
            pass

        async def send(self, chat_id, content, reply_to=None, metadata=None):
            self.sent.append(content)
            return SendResult(success=True)

        async def get_chat_info(self, chat_id):
            return {}

    got = []

    class Runner:
        def _is_user_authorized(self, source):
            return authorized

        async def _handle_message(self, event):
            got.append(event.text)
            return None

    adapter = Adapter(PlatformConfig(enabled=True), Platform(platform))
    adapter.sent = []
    adapter.set_message_handler(Runner()._handle_message)
    return adapter, got


def _event(text, user="7", platform="telegram", chat=None):
    from gateway.config import Platform
    from gateway.platforms.base import MessageEvent
    from gateway.session import SessionSource

    source = SessionSource(
        platform=Platform(platform), chat_id=chat or user, user_id=user, chat_type="dm"
    )
    return MessageEvent(text=text, source=source)


async def _settled(adapter):
    for _ in range(50):
        await asyncio.sleep(0.02)
        if not adapter._background_tasks:
            return


@probe
async def the_fourth_message_is_refused_once_and_then_in_silence():
    for platform in ("telegram", "discord", "slack"):
        adapter, got = _adapter(platform=platform)
        for n in range(6):
            await adapter.handle_message(_event(f"m{n}", platform=platform))
            await _settled(adapter)
        assert got == ["m0", "m1", "m2"], (platform, got)
        refusals = [s for s in adapter.sent if "Too many" in s]
        assert len(refusals) == 1, (platform, adapter.sent)
        await adapter.handle_message(_event("/stop", platform=platform))
        await _settled(adapter)
        assert "/stop" in got, "a way to stop is never rationed"
        await adapter.handle_message(_event("other", user="8", platform=platform))
        await _settled(adapter)
        assert "other" in got, "another person is served"


@probe
async def strangers_use_up_nobodys_share():
    adapter, got = _adapter(authorized=False)
    for n in range(5):
        await adapter.handle_message(_event(f"s{n}", user="66"))
        await _settled(adapter)
    assert len(got) == 5 and not adapter.sent  # The agent's own code drops them.


@probe
async def webhooks_are_counted_by_route():
    adapter, got = _adapter(platform="webhook")
    for n in range(4):
        event = _event(f"w{n}", user="webhook:a", platform="webhook", chat=f"webhook:a:{n}")
        await adapter.handle_message(event)
        await _settled(adapter)
    event = _event("b", user="webhook:b", platform="webhook", chat="webhook:b:1")
    await adapter.handle_message(event)
    await _settled(adapter)
    assert got == ["w0", "w1", "b"], got


@probe
async def a_writer_that_is_gone_admits_nobody():
    from petasos_policy import calls, current

    adapter, got = _adapter()
    kept, current.audit, calls.quiet = current.audit, None, True
    try:
        await adapter.handle_message(_event("x", user="99"))
        await _settled(adapter)
    finally:
        current.audit, calls.quiet = kept, False
    return got == []


@probe
async def an_adapter_with_another_door_is_counted_at_the_gateways():
    from petasos_policy import install

    wrap = install.CHOKES["gateway.run:GatewayRunner._handle_message"][1]
    got = []

    class Runner:
        def _is_user_authorized(self, source):
            return True

    async def handle(self, event):
        got.append(event.text)

    handle = wrap(handle)
    # Its own person, so that no message of theirs was counted at the other door.
    from petasos_policy import admit

    for n in range(5):
        admit._last.clear()
        await handle(Runner(), _event(f"d{n}", user="555"))
    assert got == ["d0", "d1", "d2"], got

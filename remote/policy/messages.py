"""Messages of every platform: admitted, or answered with one sentence and then with silence."""

import asyncio
import functools

from . import admit


def wrap_handle_message(real):
    @functools.wraps(real)
    async def handle_message(self, event):
        # Made by the gateway itself, or already counted before it was merged or queued.
        if getattr(event, "internal", False) or getattr(event, "_petasos_counted", False):
            return await real(self, event)
        source = event.source
        platform = str(source.platform.value if source.platform else "unknown")
        chat = str(source.chat_id or "")
        route = platform == "webhook"
        user = _route(source) if route else str(source.user_id or chat or "unknown")
        if not route and not await _is_known(self, source):
            # The agent drops it. It uses up nobody's share, and is on record.
            await asyncio.to_thread(admit.stranger, platform, user)
            return await real(self, event)
        if not route and (event.get_command() or "").lower() in admit.FREE:
            return await real(self, event)
        text = str(event.text or "")
        answer = await asyncio.to_thread(admit.message, platform, user, text, chat)
        if answer.get("ok") is not True:
            await _tell_once(self, source, platform, user, answer)
            return None
        admit.keep_uploads(platform, chat, [str(p) for p in event.media_urls or ()])
        event._petasos_counted = True
        return await real(self, event)

    return handle_message


def wrap_runner(real):
    """The gateway's side of that door, for an adapter that has another one."""

    @functools.wraps(real)
    async def _handle_message(self, event):
        source = event.source
        if getattr(event, "internal", False) or getattr(event, "_petasos_counted", False):
            return await real(self, event)
        platform = str(source.platform.value if source.platform else "unknown")
        route = platform == "webhook"
        user = _route(source) if route else str(source.user_id or source.chat_id or "unknown")
        if admit.recently(platform, user) or (event.get_command() or "").lower() in admit.FREE:
            return await real(self, event)
        if not route and not await asyncio.to_thread(self._is_user_authorized, source):
            return await real(self, event)
        answer = await asyncio.to_thread(
            admit.message,
            platform,
            user,
            str(event.text or ""),
            str(source.chat_id or ""),
        )
        if answer.get("ok") is not True:
            return None if admit.told(platform, user) else admit.sentence(answer)
        event._petasos_counted = True
        return await real(self, event)

    return _handle_message


def _route(source):
    """A webhook's chat is `webhook:ROUTE:DELIVERY`; its share is the route's."""
    parts = str(source.chat_id or "").split(":")
    return parts[1] if len(parts) > 2 else str(source.user_id or "unknown")


async def _is_known(adapter, source):
    runner = getattr(getattr(adapter, "_message_handler", None), "__self__", None)
    check = getattr(runner, "_is_user_authorized", None)
    # Where nobody can be asked the message counts: that is the stricter side.
    return True if check is None else bool(await asyncio.to_thread(check, source))


async def _tell_once(adapter, source, platform, user, answer):
    if admit.told(platform, user):
        return
    try:
        await adapter._send_with_retry(
            chat_id=source.chat_id, content=admit.sentence(answer), reply_to=None, metadata=None
        )
    except Exception as error:
        admit.complain("could not say that a message is refused", error)

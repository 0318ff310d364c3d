"""Call updates: tell the agent during the call what became of a write request.

Sent once, by live call control. A message that does not arrive is not sent again: the call may be
over by then, and a later question gets the state from the journal.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from shared.agent.agents import Agents
from shared.agent.sentences import Phrase
from shared.calls.calls import Calls
from shared.logs import log
from shared.settings import VapiSettings
from shared.store import StoreUnavailableError
from shared.tracing import in_this_context
from shared.vapi.control import ControlRefusedError, HostNotAllowedError, post_update

THREADS = 4
"""Posts in progress in a process. Each ends within seconds, and the sender never waits."""


@dataclass(frozen=True)
class CallUpdate:
    """A sentence for the agent of a call."""

    call_id: str
    said: Phrase


class CallUpdates:
    """Safe to share between threads."""

    def __init__(self, calls: Calls, settings: VapiSettings, agents: Agents) -> None:
        self._calls = calls
        self._agents = agents
        self._hosts = settings.control_hosts
        self._by = settings.tell_by
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="call_updates")

    def notify_agent(self, call_updates: Iterable[CallUpdate]) -> None:
        """Says each in the language of its call. Drops those of calls that are over."""
        updates = list(call_updates)
        try:
            live = self._calls.live_calls(update.call_id for update in updates)
        except StoreUnavailableError:
            return
        for update in updates:
            if call := live.get(update.call_id):
                sentences = self._agents.named(call.agent).sentences
                text = sentences.speak(call.language, update.said)
                post = partial(self._post, update.call_id, call.control_url, text)
                self._executor.submit(in_this_context(post))

    def _post(self, call_id: str, url: str, text: str) -> None:
        outcome, reason = "sent", ""
        try:
            post_update(url, text, self._hosts, by=self._by)
        except HostNotAllowedError:
            outcome, reason = "refused", "HOST_NOT_ALLOWED"
        except ControlRefusedError as failed:
            outcome, reason = "failed", str(failed)
        except Exception:  # the executor would swallow it
            log.exception("call_update_failed", call_id=call_id)
            outcome, reason = "failed", "UNFORESEEN"
        if reason:
            log.warning("call_update_failed", call_id=call_id, reason=reason)
        else:
            log.info("call_update_sent", call_id=call_id)
        try:
            self._calls.count_call_updates(outcome)
        except StoreUnavailableError:
            return

    def close(self) -> None:
        """Wait for posts in progress."""
        self._executor.shutdown()

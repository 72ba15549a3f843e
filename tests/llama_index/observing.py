"""An observer of everything that LlamaIndex reports: dispatcher events, callbacks and spans with their arguments."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llama_index.core.callbacks import CallbackManager
from llama_index.core.callbacks.base_handler import BaseCallbackHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler
from pydantic import PrivateAttr


class Events(BaseEventHandler):
    """Records events."""

    _seen: list[Any] = PrivateAttr(default_factory=list)

    def handle(self, event: Any, **_: Any) -> None:
        self._seen.append(event)


class Spans(SimpleSpanHandler):
    """Records the ids of spans, and the repr of their arguments and results."""

    _seen: list[str] = PrivateAttr(default_factory=list)
    _shown: list[str] = PrivateAttr(default_factory=list)

    def new_span(self, id_: str, bound_args: Any, instance: Any = None, **kwargs: Any) -> Any:
        self._seen.append(id_)
        self._shown += [repr(bound_args.arguments), repr(instance)]
        return super().new_span(id_=id_, bound_args=bound_args, instance=instance, **kwargs)

    def prepare_to_exit_span(
        self, id_: str, bound_args: Any, instance: Any = None, result: Any = None, **_: Any
    ) -> Any:
        self._shown.append(repr(result))
        return super().prepare_to_exit_span(id_=id_, bound_args=bound_args, instance=instance, result=result)


class Callbacks(BaseCallbackHandler):
    """Records callbacks."""

    def __init__(self) -> None:
        super().__init__([], [])
        self.seen: list[tuple[str, dict[str, Any]]] = []

    def on_event_start(self, event_type: Any, payload: Any = None, event_id: str = "", **_: Any) -> str:  # noqa: ARG002
        self.seen.append(("start", payload or {}))
        return event_id

    def on_event_end(self, event_type: Any, payload: Any = None, **_: Any) -> None:  # noqa: ARG002
        self.seen.append(("end", payload or {}))

    def start_trace(self, trace_id: str | None = None) -> None: ...

    def end_trace(self, trace_id: str | None = None, trace_map: Any = None) -> None: ...


class Unpicklable(Callbacks):
    """A handler that cannot be pickled."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()


class Seen:
    """Everything that was observed."""

    def __init__(self, events: Events, spans: Spans, callbacks: Callbacks) -> None:
        self._events, self._spans, self._callbacks = events, spans, callbacks
        self.callback_manager = CallbackManager([callbacks])

    @property
    def events(self) -> list[Any]:
        return self._events._seen

    @property
    def spans(self) -> list[str]:
        return self._spans._seen

    @property
    def callbacks(self) -> list[tuple[str, dict[str, Any]]]:
        return self._callbacks.seen

    def chunks(self) -> list[Any]:
        """Return all chunks reported as embedded."""
        of_events = [chunk for event in self.events for chunk in getattr(event, "chunks", [])]
        return of_events + [chunk for _, payload in self.callbacks for chunk in payload.get("chunks", [])]

    def shown(self) -> list[str]:
        """Return the repr of everything that was observed."""
        return [repr(event.model_dump()) for event in self.events] + [
            *self._spans._shown,
            *self.spans,
            *(repr(payload) for _, payload in self.callbacks),
        ]


@contextmanager
def observing() -> Iterator[Seen]:
    """Observe everything in this process."""
    root = get_dispatcher()
    events, spans, callbacks = Events(), Spans(), Callbacks()
    kept = root.event_handlers, root.span_handlers
    root.event_handlers, root.span_handlers = [*kept[0], events], [*kept[1], spans]
    try:
        yield Seen(events, spans, callbacks)
    finally:
        root.event_handlers, root.span_handlers = kept

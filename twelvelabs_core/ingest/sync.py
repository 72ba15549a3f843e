"""Keep a vector store in step with media: what to write, what to delete, what to refuse, whatever the framework.

The vector store itself says what it holds, and the segment store what it should hold; nothing else is recorded. So a
run that was ended at any point is completed by the next one.
"""

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from twelvelabs_core.base.checks import check_bool
from twelvelabs_core.base.errors import Failure, InputError, TwelveLabsError
from twelvelabs_core.base.html import MANY, html_table
from twelvelabs_core.ingest.batch import FailureReport, OnError
from twelvelabs_core.ingest.budget import budget_of, length_unknown
from twelvelabs_core.ingest.estimate import IngestionPlan
from twelvelabs_core.media.folders import MediaSet
from twelvelabs_core.media.source import Media, MediaInput
from twelvelabs_core.results.spaces import SpaceCheck
from twelvelabs_core.results.stored import StoredSegment
from twelvelabs_core.transport.mode import Mode

logger = logging.getLogger("twelvelabs_core")

DRY_RUN: Mapping[str, Any] = {"include_transcript": False, "keep_asset": True, "max_minutes": 0.0}
"""The options of `Client.segment_many` with which nothing is sent for media that are paid for.

The budget is for what the plan saw as paid for and the run does not: a new version at a host that refuses HEAD.
"""

_SHOWN = 5  # names in a message


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a run of `sync_videos` did, or would do; each by the `source` of the videos.

    Attributes:
        added: Videos that the vector store did not have.
        changed: Videos whose segments were replaced or completed: another content, other options, another title.
        renamed: The old and the new name of each video that was found under another name; nothing was paid for it.
        removed: Videos that do not exist any more.
        unchanged: Videos that were stored as they are; nothing was sent or written for them.
        failures: Videos that could not be loaded; the vector store keeps the segments that it has of them.
        plan: With `dry_run`, what the run would pay for without a budget; nothing was paid for, written or deleted.
            Else None. What does not fit into the budget is in `failures`.
        refused: With `dry_run`, why the run itself would be refused, with nothing done; "" where it would not.

    Example:
        ```python
        report = sync_videos(store, "videos", embeddings=embeddings)
        print(report)  # 2 added, 1 changed, 0 renamed, 0 removed, 240 unchanged, 1 failed
        ```
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    plan: IngestionPlan | None = None
    refused: str = ""

    def __str__(self) -> str:
        """Return the numbers of videos and, with `dry_run`, what they would cost and why the run would be refused."""
        names = ("added", "changed", "renamed", "removed", "unchanged")
        counts = ", ".join(f"{len(getattr(self, name))} {name}" for name in names)
        done = f"{counts}, {len(self.failures)} failed"
        if self.plan is None:
            return done
        refused = f"; the run would be refused: {self.refused}" if self.refused else ""
        return f"dry run: {done}; {self.plan.summary()}{refused}"

    def _repr_html_(self) -> str:
        found = {name: getattr(self, name) for name in ("added", "changed", "removed")}
        rows = [(name, source) for name, sources in found.items() for source in sources]
        rows += [("renamed", f"{old} \N{RIGHTWARDS ARROW} {new}") for old, new in self.renamed]
        rows += [("failed", str(failure)) for failure in self.failures]
        return html_table(("change", "video"), rows, str(self), limit=MANY)


@dataclass(frozen=True, slots=True)
class SyncRules:
    """What a run may do.

    Attributes:
        allow_empty: Whether it may remove every source of which the media are all that exists.
        max_removed_share: The largest share of these sources that it may remove, from 0 to 1.
        dry_run: Whether it only reports what it would do.

    Raises:
        InputError: A value cannot be used.
    """

    allow_empty: bool = False
    max_removed_share: float = 1.0
    dry_run: bool = False

    def __post_init__(self) -> None:
        check_bool("allow_empty", self.allow_empty)
        check_bool("dry_run", self.dry_run)
        share = self.max_removed_share
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise InputError(f"max_removed_share must be a number from 0 to 1, got {share!r}.")

    def refusal(self, removed: Sequence[str], covered: int) -> str:
        """Return why these are too many to remove of the sources of which the media are all that exists; else ""."""
        is_all = len(removed) == covered and not self.allow_empty
        if not removed or not (is_all or len(removed) > self.max_removed_share * covered):
            return ""
        named = ", ".join(removed[:_SHOWN]) + (", ..." if len(removed) > _SHOWN else "")
        limit = "all of them" if is_all else f"more than max_removed_share={self.max_removed_share:g}"
        advice = "allow_empty=True" if is_all else "a larger max_removed_share"
        return (
            f"this would remove {len(removed)} of the {covered} videos that the vector store has of these, which is "
            f"{limit}: {named}. Nothing was paid for, written or removed. If they are to be removed, pass {advice}."
        )


class Collection(Protocol):
    """A vector store, and how media become its segments: the part of an adapter in `synchronize`."""

    mode: Mode

    @property
    def budget(self) -> Mapping[str, float | None]:
        """`max_minutes`, `max_cost` and `price_per_minute` of the run."""

    async def stored(self) -> Sequence[StoredSegment]:
        """Return all segments of this package in the vector store."""

    async def plan(self, media: Sequence[MediaInput]) -> IngestionPlan:
        """Return what `segmented` would pay for."""

    def segmented(
        self, media: Sequence[MediaInput], report: FailureReport
    ) -> AsyncGenerator[tuple[str, Sequence[Any]]]:
        """Yield the source of each item and its segments, which have `metadata`, when they are available."""

    async def add(self, segments: Sequence[Any]) -> None:
        """Store segments under their segment ids, in place of those that have these ids."""

    async def delete(self, segments: Sequence[Any]) -> None:
        """Delete some segments of a source, as `stored` returned them."""

    async def remove(self, segments: Sequence[Any]) -> None:
        """Delete all segments of a source, as `stored` returned them."""


async def synchronize(
    collection: Collection, client: Any, media_set: MediaSet, rules: SyncRules, on_error: OnError = "skip"
) -> SyncReport:
    """Bring a vector store to the state of some media.

    The new segments of a source are stored before its old ones are deleted. A source that fails keeps its segments.

    Args:
        collection: The vector store.
        client: The `Client` or `AsyncClient` whose segment store has the vectors.
        media_set: The media, and the names of which they are all that exists.
        rules: What the run may do.
        on_error: As for `Client.segment_many`; `skip` by default, since the report has the failures.

    Raises:
        InputError: The vector store has segments of another space, or the run would remove more than the rules allow;
            nothing was paid for, written or deleted.
        IngestionError: At the end, with `on_error="raise"`, if some of several media failed.
    """
    report = FailureReport(on_error)
    held = await _held(collection, client.space)
    names = {item.source for item in media_set.media if isinstance(item, Media)}
    gone = [source for source in held if source not in names and media_set.is_gone(source)]
    renamed = await _renamed(collection.mode, client, media_set, held, gone)
    removed = [source for source in gone if source not in renamed]
    refused = rules.refusal(removed, sum(media_set.covers(source) for source in held))
    if refused and not rules.dry_run:
        raise InputError(refused)
    done: dict[str, list[str]] = {"added": [], "changed": [], "unchanged": []}
    media, plan = media_set.media, None
    if rules.dry_run:
        plan = await collection.plan(media)
        unpayable = await _unpayable(collection, client, media, plan)
        for source, error in unpayable.items():
            report.note(Failure(source, str(error), None, error))
        media = _without_unpaid(media, plan, unpayable, held, done)
    async with aclosing(collection.segmented(media, report)) as found:
        async for source, segments in found:
            outcome = await _store(collection, segments, held.get(source, ()), writes=not rules.dry_run)
            done[outcome].append(source)
    renamed = {old: new for old, new in renamed.items() if new in done["added"]}
    removed = [source for source in removed if media_set.is_gone(source)]  # after hours, a file may be there again
    if not rules.dry_run:
        for source in (*renamed, *removed):
            await collection.remove(held[source])
    report.succeeded += [source for sources in done.values() for source in sources]
    report.close()
    done["added"] = [source for source in done["added"] if source not in renamed.values()]
    return SyncReport(
        **{name: tuple(sources) for name, sources in done.items()},
        renamed=tuple(renamed.items()),
        removed=tuple(removed),
        failures=tuple(report.failures),
        plan=plan,
        refused=refused,
    )


async def _unpayable(
    collection: Collection, client: Any, media: Sequence[MediaInput], plan: IngestionPlan
) -> dict[str, TwelveLabsError]:
    """Return the errors of the media that cannot be used or do not fit into the budget, in their order."""
    budget = budget_of(**collection.budget)
    used = 0.0 if budget is None else await collection.mode.blocking(lambda: client.store.minutes_used(client.space))
    named = {item.source: item for item in media if isinstance(item, Media)}
    errors: dict[str, TwelveLabsError] = {}
    for one in plan.media:
        error: TwelveLabsError | None = None
        if one.status == "unusable":
            error = InputError(one.reason)
        elif budget is not None and one.status == "new":
            minutes = one.minutes
            error = length_unknown(named[one.source]) if minutes is None else budget.refusal(one.source, minutes, used)
        if error is not None:
            errors[one.source] = error
        else:
            used += one.minutes or 0.0
    return errors


def _without_unpaid(
    media: Sequence[MediaInput],
    plan: IngestionPlan,
    unpayable: Mapping[str, TwelveLabsError],
    held: Mapping[str, Sequence[StoredSegment]],
    done: Mapping[str, list[str]],
) -> tuple[MediaInput, ...]:
    """Return the media that are paid for; note of those to be paid for what would become of them."""
    for one in plan.media:
        if one.status != "stored" and one.source not in unpayable:
            done["changed" if one.source in held else "added"].append(one.source)
    stored = {one.source for one in plan.stored}
    return tuple(item for item in media if isinstance(item, Media) and item.source in stored)


async def _held(collection: Collection, space: str) -> dict[str, list[StoredSegment]]:
    """Return the segments in the vector store by source.

    Raises:
        InputError: A segment is of another space.
    """
    held: dict[str, list[StoredSegment]] = {}
    check = SpaceCheck(space)
    for segment in await collection.stored():
        check([segment._asdict()])
        held.setdefault(segment.source, []).append(segment)
    return held


async def _renamed(
    mode: Mode, client: Any, media_set: MediaSet, held: Mapping[str, Sequence[StoredSegment]], gone: Sequence[str]
) -> dict[str, str]:
    """Return the new name of each source that no longer exists, where its content has a name that is not stored."""
    if not gone:
        return {}
    ids = [segment.segment_id for source in gone for segment in held[source]]
    contents = await mode.blocking(lambda: client.store.find_contents(ids))
    old_names: dict[str, list[str]] = {}
    for source in gone:
        for content in {contents[segment.segment_id] for segment in held[source] if segment.segment_id in contents}:
            old_names.setdefault(content, []).append(source)
    renamed: dict[str, str] = {}
    for item in media_set.media if old_names else ():
        if isinstance(item, Media) and item.source not in held:
            with suppress(TwelveLabsError):  # the run itself reports it
                content = await mode.run(client.content_of, item)
                old = next((one for one in old_names.get(content, ()) if one not in renamed), None)
                if old is not None:
                    renamed[old] = item.source
    return renamed


async def _store(
    collection: Collection, segments: Sequence[Any], held: Sequence[StoredSegment], *, writes: bool
) -> str:
    """Store what the vector store does not have of a source, then delete what the source does not have any more.

    Returns:
        `added`, `changed` or `unchanged`.
    """
    wanted = {segment.metadata["segment_id"]: segment for segment in segments}
    # A title is part of the text of a segment, and not of its id.
    current = {
        one.segment_id
        for one in held
        if one.segment_id in wanted
        and str(one.id) == one.segment_id
        and one.title == wanted[one.segment_id].metadata["title"]
    }
    new = [segment for name, segment in wanted.items() if name not in current]
    old = [one for one in held if one.segment_id not in wanted or str(one.id) != one.segment_id]
    if writes and new:
        await collection.add(new)
    if writes and old:
        await collection.delete(old)
    return "added" if not held else "changed" if new or old else "unchanged"

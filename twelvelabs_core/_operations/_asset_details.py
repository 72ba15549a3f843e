"""What is kept with an asset: the words spoken in it, and its owner's notes."""

from collections.abc import Sequence

from twelvelabs_core._answers_uploads import Transcription
from twelvelabs_core._errors import InputError
from twelvelabs_core._media_lists import many
from twelvelabs_core._operations._base import path_part
from twelvelabs_core._operations._declared import GET_TRANSCRIPTION, USER_METADATA, calls
from twelvelabs_core._operations._uploads import UploadOperations
from twelvelabs_core._responses_uploads import parse_transcription
from twelvelabs_core._user_metadata import UserMetadata, check_user_metadata
from twelvelabs_core._wire import Call, json_body

TRANSCRIPTION_KINDS = ("words", "sentences", "utterances")


class AssetDetailOperations(UploadOperations):
    """Reads transcriptions; writes user metadata."""

    @calls(GET_TRANSCRIPTION)
    async def retrieve_transcription(self, asset_id: str, *, include: Sequence[str] = ("words",)) -> Transcription:
        """Return the words spoken in an audio or video asset, as far as the API has made them out.

        Args:
            asset_id: The asset's id.
            include: Which of `words`, `sentences`, `utterances` (speakers' turns).

        Returns:
            A `Transcription`. Look at its `status`; a kind that was asked for can be missing though it is `ready`.

        Raises:
            NotFoundError: There is no asset of this id, or it has no transcription.
        """
        kinds = many(include, "include")
        unknown = [kind for kind in kinds if kind not in TRANSCRIPTION_KINDS]
        if unknown or not kinds:
            got = repr(unknown[0]) if unknown else "none"
            raise InputError(f"include must be among {', '.join(TRANSCRIPTION_KINDS)}; got {got}.")
        path = f"/assets/{path_part(asset_id, 'asset')}/transcription"
        params = tuple(("include", kind) for kind in kinds)
        call = Call(f"get the transcription of asset {asset_id}", "GET", path, params)
        return parse_transcription((await self._call(call)).body)

    @calls(f"PATCH {USER_METADATA}")
    async def update_user_metadata(self, asset_id: str, user_metadata: UserMetadata) -> None:
        """Merge notes into those kept on an asset: names given are set, None deletes one, the others stay.

        Args:
            asset_id: The asset's id.
            user_metadata: Names and values: str, number, bool or list of str. The API ignores an empty str or list.

        Raises:
            NotFoundError: There is no asset of this id.
        """
        await self._change_user_metadata("PATCH", asset_id, user_metadata)

    @calls(f"PUT {USER_METADATA}")
    async def replace_user_metadata(self, asset_id: str, user_metadata: UserMetadata) -> None:
        """Replace all notes kept on an asset.

        Args:
            asset_id: The asset's id.
            user_metadata: As for `update_user_metadata`; None, an empty str or list is ignored.

        Raises:
            NotFoundError: There is no asset of this id.
        """
        await self._change_user_metadata("PUT", asset_id, user_metadata)

    @calls(f"DELETE {USER_METADATA}")
    async def delete_user_metadata(self, asset_id: str) -> None:
        """Delete all notes kept on an asset.

        Args:
            asset_id: The asset's id.

        Raises:
            NotFoundError: There is no asset of this id.
        """
        await self._change_user_metadata("DELETE", asset_id, None)

    async def _change_user_metadata(self, method: str, asset_id: str, user_metadata: UserMetadata | None) -> None:
        path = f"/assets/{path_part(asset_id, 'asset')}/user-metadata"
        body = None
        if method != "DELETE":
            body = json_body({"user_metadata": check_user_metadata(user_metadata)})
        await self._call(Call(f"change the user metadata of asset {asset_id}", method, path, body=body))

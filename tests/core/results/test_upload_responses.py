"""Responses about uploads and transcriptions: parsed fields, secrets, and errors for undocumented bodies."""

import copy
import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from twelvelabs_core import APIResponseError
from twelvelabs_core.results.decode import read_answer
from twelvelabs_core.results.upload_responses import (
    ChunkBatchReport,
    Transcription,
    parse_multipart_upload,
    parse_presigned_urls,
    parse_upload_status,
)

SECRET = "https://s3.example.com/x?X-Amz-Signature=5ecre7"


def parse_chunk_batch_report(answer: bytes) -> ChunkBatchReport:
    return read_answer(ChunkBatchReport, answer, "chunk report")


def parse_transcription(answer: bytes) -> Transcription:
    return read_answer(Transcription, answer, "transcription")


def body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def test_urls_and_headers_of_a_session_are_parsed_unchanged_and_hidden_from_repr() -> None:
    upload = parse_multipart_upload(
        body(
            upload_id="u",
            asset_id="a",
            chunk_size=5,
            upload_urls=[{"chunk_index": 1, "url": SECRET, "expires_at": "2026-01-01T00:00:00Z", "more": SECRET}],
            upload_headers={"x-amz-key": SECRET},
            new=SECRET,
        )
    )
    assert upload.upload_urls[0].url.get_secret_value() == SECRET
    assert upload.upload_headers == {"x-amz-key": SECRET}
    for shown in (repr(upload), str(upload), upload.model_dump_json(), repr(upload.upload_urls)):
        assert "5ecre7" not in shown
    assert copy.deepcopy(upload).upload_urls == upload.upload_urls
    for value in (upload, upload.upload_urls[0]):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(value)


@pytest.mark.parametrize(
    ("parse", "fields", "message"),
    [
        (parse_multipart_upload, {"upload_id": "u", "asset_id": "a"}, "chunk_size"),
        (parse_multipart_upload, {"upload_id": "u", "asset_id": "a", "chunk_size": 0}, "chunk_size"),
        (parse_multipart_upload, {"upload_id": "", "asset_id": "a", "chunk_size": 5}, "upload_id"),
        (parse_presigned_urls, {"upload_urls": None}, "upload_urls"),
        (parse_presigned_urls, {"upload_urls": [SECRET]}, r"upload_urls\[0\]"),
        (parse_presigned_urls, {"upload_urls": [{"chunk_index": 0, "url": SECRET}]}, "chunk_index"),
        (parse_upload_status, {"upload_id": "u"}, "status"),
        (parse_upload_status, {"upload_id": "u", "status": "active", "uploaded_chunks": [{"index": 0}]}, "index"),
        (parse_chunk_batch_report, {"total_completed": "many"}, "total_completed"),
        (parse_transcription, {"words": []}, "status"),
        (parse_transcription, {"status": "ready", "words": [{"start": "0", "end": 1, "value": "x"}]}, "start"),
    ],
)
def test_undocumented_body_raises_naming_the_field_without_values(
    parse: Any, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(APIResponseError, match=message) as caught:
        parse(body(**fields))
    assert "5ecre7" not in str(caught.value)
    for junk in (b"", b"[]", b"null", b'{"', b'"x"'):
        with pytest.raises(APIResponseError):
            parse(junk)


def test_urls_without_expiry_get_the_expiry_of_the_response() -> None:
    fields = {"upload_urls": [{"chunk_index": 3, "url": SECRET}], "expires_at": "2026-01-01T00:00:00Z"}
    assert parse_presigned_urls(body(**fields))[0].expires_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_missing_optional_fields_are_none() -> None:
    status, page_info = parse_upload_status(body(upload_id="u", status="active", uploaded_chunks=None))
    assert (status.completed, status.chunks_pending, page_info.total_page) == (frozenset(), None, None)
    report = parse_chunk_batch_report(body(url=SECRET))
    assert (report.url, report.total_completed) == ("https://s3.example.com/x", None)
    transcription = parse_transcription(body(status="failed", error={"message": "no speech"}))
    assert (transcription.words, transcription.error) == (None, "no speech")

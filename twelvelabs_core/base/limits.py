"""The API's published limits as named constants, each with where it comes from.

"Reference" is the API reference of the embed endpoints, "model page" the page of the Marengo models. The unit of "MB"
is not published; the larger reading (2**20) is used, so that nothing the server would take is refused here.
"""

MIB = 2**20
GIB = 2**30

TEXT_MIN_CHARACTERS = 1  # reference: minLength 1

IMAGE_MAX_BYTES = 32 * MIB  # reference, images, since 2026-07-24
IMAGE_MIN_SIDE = 128  # model page: at least 128x128 pixels
IMAGE_FORMATS = ("JPEG", "PNG")  # model page

BASE64_MAX_BYTES = 36 * MIB  # reference, base64_string: 36 MB of the decoded file
DIRECT_UPLOAD_MAX_BYTES = 200 * MIB  # reference, POST /assets with method=direct, video and audio
DOCUMENT_UPLOAD_MAX_BYTES = 200 * MIB  # reference, POST /assets with method=direct, PDF, text, Markdown
UPLOAD_MAX_BYTES = 10 * GIB  # reference, multipart uploads of video and audio, since 2026-07-23
MULTIPART_BATCH_MAX = 50  # reference: chunks reported, or presigned URLs asked for, in one call

SYNC_MAX_SEC = 600.0  # reference: sync audio and video up to 10 minutes with marengo3.0
TASK_MIN_SEC = 4.0  # reference: async audio and video from 4 seconds
TASK_MAX_SEC = 4 * 3600.0  # reference: to 4 hours
TASK_MAX_BYTES = 4 * GIB  # reference: and 4 GB

VIDEO_MIN_SIDE = 360  # model page: 360x360 to 5184x2160
VIDEO_MAX_LONG_SIDE = 5184
VIDEO_MAX_SHORT_SIDE = 2160
VIDEO_MAX_ASPECT = 2.4  # model page: between 1:1 and 2.4:1, or 1:2.4 and 1:1
AUDIO_FORMATS = ("wav", "mp3", "flac")  # model page

FIXED_SEC = range(2, 11)  # reference: fixed.duration_sec 2..10
DYNAMIC_MIN_SEC = range(2, 6)  # reference: dynamic.min_duration_sec 2..5
MULTI_INPUT_MAX_SOURCES = 10  # reference: media_sources, up to 10

V1_UPLOAD_MAX_BYTES = 2 * GIB  # reference of v1: video_file, image_file and audio_file up to 2 GB
V1_CLIP_SEC = (2.0, 10.0)  # reference of v1: video_clip_length 2..10

FILENAME_MAX = 255  # reference, assets: filename 1..255 characters
PAGE_LIMIT_MAX = 50  # reference: page_limit

# Ours: a bound on what a reply may hold, so that a broken or hostile server cannot fill the memory.
REPLY_MAX_BYTES = 16 * MIB
VECTORS_REPLY_MAX_BYTES = GIB  # 4 h cut every 2 s, three options, 17 digits a number: about 250 MiB


def in_words(size: int) -> str:
    """Return a limit in bytes as the reference writes it: `200 MB`, `4 GB`."""
    return f"{size // GIB} GB" if size >= GIB else f"{size // MIB} MB"

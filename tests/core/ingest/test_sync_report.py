"""The report of a synchronization: how it is shown."""

from twelvelabs_core import Failure, InputError, SyncReport


def test_a_report_is_a_line_of_numbers_and_a_table_of_what_changed() -> None:
    error = InputError("bad.mp4: file is empty: 0 bytes.")
    failure = Failure("bad.mp4", str(error), None, error)
    added, renamed = ("<a>.mp4",), (("old.mp4", "new.mp4"),)
    report = SyncReport(added=added, renamed=renamed, unchanged=("same.mp4",) * 240, failures=(failure,))
    assert str(report) == "1 added, 0 changed, 1 renamed, 0 removed, 240 unchanged, 1 failed"
    html = report._repr_html_()
    assert f"<caption>{report}</caption>" in html
    assert [cell in html for cell in ("&lt;a&gt;.mp4", "old.mp4 → new.mp4", "bad.mp4: file is empty", "same.mp4")] == [
        True,
        True,
        True,
        False,
    ]

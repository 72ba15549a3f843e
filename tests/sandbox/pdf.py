"""Writes small PDF files for tests: lines of text at positions on pages of 200 by 200 points."""

from collections.abc import Sequence
from pathlib import Path

LAYOUT = "/MediaBox [0 0 200 200] /Resources << /Font << /F1 3 0 R >> >>"

Line = tuple[int, int, str]


def write_pdf(path: Path, pages: Sequence[Sequence[Line]]) -> Path:
    """Write one page per list of (x, y, text); y increases upwards."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, lines in enumerate(pages):
        text = " ".join(f"BT /F1 8 Tf {x} {y} Td ({words}) Tj ET" for x, y, words in lines)
        objects += [
            f"<< /Type /Page /Parent 2 0 R {LAYOUT} /Contents {5 + 2 * number} 0 R >>",
            f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        ]
    content, places = b"%PDF-1.4\n", []
    for number, item in enumerate(objects, 1):
        places.append(len(content))
        content += f"{number} 0 obj\n{item}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    end += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(content)}\n%%EOF\n"
    path.write_bytes(content + end.encode())
    return path

"""Packs programs for Lambda: package.py FOLDER PROGRAM... writes FOLDER/<program>.zip, which holds the
program as `bootstrap`. The same program gives the same bytes.
"""

import pathlib
import sys
import zipfile

folder = pathlib.Path(sys.argv[1])
folder.mkdir(exist_ok=True)
for program in map(pathlib.Path, sys.argv[2:]):
    entry = zipfile.ZipInfo("bootstrap")
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(folder / f"{program.name}.zip", "w") as archive:
        archive.writestr(entry, program.read_bytes())

"""Packs programs for Lambda: package.py FOLDER PROGRAM... writes FOLDER/<program>.zip, which holds the
program as `bootstrap`. One that is called so already is named after its folder. The same program gives the
same bytes.
"""

import pathlib
import sys
import zipfile

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for program in map(pathlib.Path, sys.argv[2:]):
    entry = zipfile.ZipInfo("bootstrap")
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    name = program.parent.name if program.name == "bootstrap" else program.name
    with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
        archive.writestr(entry, program.read_bytes())

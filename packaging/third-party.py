#!/usr/bin/env python3
"""Writes the licences of all that is linked into the binaries, as these licences ask for:

    packaging/third-party.py OUTPUT_FILE

A crate's texts are those of its own package; equal ones are written once, under the names of all crates that have them.
"""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = "x86_64-unknown-linux-gnu"
# What the three kinds of binary have together.
FEATURES = "php,ffi,cli,bundled-sqlite"
TEXTS = re.compile(r"^(licen[cs]e|copying|copyright|notice|unlicense)([-._].*)?$", re.IGNORECASE)
HEAD = """Software of others in RoutineTemplate's binaries
================================================

RoutineTemplate itself: Apache-2.0, see LICENSE. The binaries also hold what follows.

SQLite (inside the crate libsqlite3-sys) is in the public domain: https://sqlite.org/copyright.html
The Rust standard library is MIT OR Apache-2.0, (c) The Rust Project Developers: https://www.rust-lang.org/policies/licenses
"""


def cargo(*arguments):
    command = ["cargo", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def linked():
    """Names and versions of the crates that are linked in: no build scripts, no procedural macros."""
    lines = cargo(
        "tree", "--locked", "--edges", "normal,no-proc-macro", "--target", TARGET, "--no-default-features",
        "--features", FEATURES, "--prefix", "none", "--no-dedupe", "--format", "{p}",
    ).splitlines()
    found = {tuple(line.split(" ")[:2]) for line in lines if line}
    return {(name, version.lstrip("v")) for name, version in found if name != "routine-template"}


def texts(directory):
    for path in sorted(directory.rglob("*")):
        if path.is_file() and len(path.relative_to(directory).parts) <= 2 and TEXTS.match(path.name):
            if path.suffix in (".rs", ".py", ".sh", ".html"):
                continue
            yield path.read_text(encoding="utf-8", errors="replace").strip().replace("\r\n", "\n")


def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} OUTPUT_FILE")
    wanted = linked()
    metadata = cargo("metadata", "--locked", "--format-version", "1", "--all-features", "--filter-platform", TARGET)
    packages = json.loads(metadata)["packages"]
    crates = sorted((p for p in packages if (p["name"], p["version"]) in wanted), key=lambda p: (p["name"], p["version"]))
    if len(crates) != len(wanted):
        sys.exit(f"third-party: {len(wanted)} crates are linked in, {len(crates)} were found")
    groups, missing, rows = {}, [], []
    for crate in crates:
        label = f"{crate['name']} {crate['version']}"
        rows.append(f"{label}: {crate['license']}  {crate.get('repository') or ''}".rstrip())
        found = list(texts(Path(crate["manifest_path"]).parent))
        if not found:
            if "Apache-2.0" not in crate["license"]:
                sys.exit(f"third-party: {label} ({crate['license']}) has no text of its licence: find it by hand")
            missing.append(crate)
        for text in found:
            key = hashlib.sha256(" ".join(text.split()).encode()).hexdigest()
            groups.setdefault(key, (text, []))[1].append(label)
    parts = [HEAD, "\n".join(rows) + "\n"]
    if missing:
        lines = [
            f"{crate['name']} {crate['version']}: {crate['license']}, (c) {', '.join(crate['authors']) or 'its contributors'}"
            for crate in missing
        ]
        parts.append("Without a text of their own, under Apache-2.0, which stands below:\n\n" + "\n".join(lines) + "\n")
    for text, names in sorted(groups.values(), key=lambda group: group[1]):
        parts.append("-" * 80 + "\n" + ", ".join(sorted(set(names))) + "\n\n" + text + "\n")
    Path(sys.argv[1]).write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Runs the script that docs/bots.md shows and compares its comments with the sample there; `--write` refreshes the sample."""

import pathlib
import re
import subprocess
import sys

page = pathlib.Path("docs/bots.md")
text = page.read_text()
script = re.search(r"```python\n(.*?)```", text, re.S)[1]
fixture = "fixtures/authoritative-memory/report/oauth-state"
report = subprocess.run(["cargo-stateless", fixture, "--format", "json"], text=True, capture_output=True).stdout
comments = subprocess.run([sys.executable, "-c", script], input=report, text=True, capture_output=True, check=True).stdout
fresh = re.sub(r"(<!-- comment -->\n```json\n).*?(```)", lambda m: m[1] + comments + m[2], text, flags=re.S)
if "--write" in sys.argv:
    page.write_text(fresh)
elif fresh != text:
    sys.exit("docs/bots.md shows other comments than its script makes; .ci/bots.py --write refreshes them")

"""with_settings.py FILE COMMAND...: runs a command with the words of a file behind it,
as a shell does with $(cat FILE)."""

import pathlib
import subprocess
import sys

words = pathlib.Path(sys.argv[1]).read_text().split()
sys.exit(subprocess.run(sys.argv[2:] + words).returncode)
